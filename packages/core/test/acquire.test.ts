import { fixedWindow, slidingWindowCounter, slidingWindowLog, tokenBucket } from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../src/clock/manual-clock.js";
import { RateLimitExceededError } from "../src/errors.js";
import { Limiter } from "../src/limiter/limiter.js";
import { Lines } from "../src/limiter/lines.js";
import type { AcquireOptions, LimiterOptions } from "../src/limiter/options.js";
import { Waiter } from "../src/limiter/waiter.js";
import { SlowBucket, settle } from "./support/slow-bucket.js";

function open(rates: string | string[], options: LimiterOptions = {}, algorithm = tokenBucket) {
  const clock = new ManualClock(1000);
  const bucket = new InMemoryBucket(rates, { clock, algorithm });
  const limiter = new Limiter(bucket, options);
  const log: string[] = [];
  /** Acquires and notes how and when it ended. */
  const acquire = (name: string, key: string, more: AcquireOptions = {}) => {
    limiter.acquire(key, more).then(
      () => log.push(`${name} at ${clock.now()}`),
      (error: Error) => log.push(`${name} ${error.name} at ${clock.now()}`),
    );
  };
  /** Advances in small steps, so that each end is noted at its own time. */
  const advance = async (ms: number) => {
    await settle();
    const step = ms <= 5000 ? 1 : ms / 1000;
    for (let passed = 0; passed < ms; passed += step) {
      clock.advance(Math.min(step, ms - passed));
      await settle();
    }
  };
  return { clock, bucket, limiter, log, acquire, advance };
}

describe("Limiter.acquire()", () => {
  test("serves a key first come, first served, also when a later one would fit at once", async () => {
    const { log, acquire, advance } = open("4/s");
    acquire("a", "ada", { weight: 4 });
    acquire("b", "ada", { weight: 3 });
    acquire("c", "ada", { weight: 1 });
    await advance(250);
    expect(log).toEqual(["a at 1000"]);
    for (let i = 0; i < 3; i++) await advance(250);
    expect(log).toEqual(["a at 1000", "b at 1750", "c at 2000"]);
  });

  test("no key waits behind another", async () => {
    const { log, acquire, advance } = open("1/s");
    for (const name of ["a1", "a2", "a3"]) acquire(name, "ada");
    acquire("b1", "bob");
    await advance(0);
    expect(log).toEqual(["a1 at 1000", "b1 at 1000"]);
  });

  test("gives up at once when the deadline cannot be met, whoever is ahead", async () => {
    const { log, acquire, advance, clock } = open("1/s");
    for (const name of ["a", "b", "c", "d", "e"]) acquire(name, "ada", { timeout: 2500 });
    await advance(0);
    expect(log).toEqual(["a at 1000", "d RateLimitExceededError at 1000", "e RateLimitExceededError at 1000"]);
    await advance(1000);
    await advance(1000);
    expect(log.slice(3)).toEqual(["b at 2000", "c at 3000"]);
    expect(clock.pending).toBe(0);
  });

  test("admits at the deadline itself", async () => {
    const { log, acquire, advance } = open("1/s");
    acquire("a", "ada");
    acquire("b", "ada", { timeout: 1000 });
    await advance(1000);
    expect(log).toEqual(["a at 1000", "b at 2000"]);
  });

  test("a weight that never fits is refused at once, also behind a line", async () => {
    const { limiter, acquire, log, advance } = open("2/s", { name: "mail" });
    acquire("a", "ada", { weight: 2 });
    acquire("b", "ada");
    const never = limiter.acquire("ada", { weight: 3 });
    await expect(never).rejects.toMatchObject({
      limiter: "mail",
      key: "ada",
      weight: 3,
      decision: { retryAfter: Number.POSITIVE_INFINITY },
    });
    await expect(never).rejects.toThrow("it is more than the rate holds");
    await advance(500);
    expect(log).toEqual(["a at 1000", "b at 1500"]);
  });

  test("the error tells the true wait, the line ahead included", async () => {
    const { limiter, acquire } = open("1/s");
    for (const name of ["a", "b", "c"]) acquire(name, "ada");
    const error: RateLimitExceededError = await limiter.acquire("ada", { timeout: 100 }).then(
      () => expect.unreachable(),
      (reason: RateLimitExceededError) => reason,
    );
    expect(error).toBeInstanceOf(RateLimitExceededError);
    expect(error.decision.retryAfter).toBe(3000);
    expect(error.message).toContain("it would fit in 3s, past the timeout of 100ms");
  });

  test("who gives up is not charged, leaves at once, and the line closes up", async () => {
    const { log, acquire, advance, bucket } = open("4/s");
    const controller = new AbortController();
    acquire("a", "ada", { weight: 4 });
    acquire("b", "ada", { weight: 4, signal: controller.signal });
    acquire("c", "ada", { weight: 1 });
    await advance(250);
    expect(log).toEqual(["a at 1000"]);
    controller.abort();
    await settle();
    expect(log).toEqual(["a at 1000", "b AbortError at 1250", "c at 1250"].sort());
    expect(bucket.count("ada")).toBe(4);
  });

  test("is rejected with the signal's reason, also when it was raised before", async () => {
    const { limiter, bucket } = open("1/s");
    const reason = new Error("the request is gone");
    await expect(limiter.acquire("ada", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(bucket.count("ada")).toBe(0);
  });

  test("a newcomer profits from units that came back, and from a place that was given up", async () => {
    const { limiter, log, acquire, advance } = open("1/s");
    const controller = new AbortController();
    acquire("a", "ada");
    acquire("b", "ada", { signal: controller.signal, timeout: 5000 });
    acquire("c", "ada", { timeout: 5000 });
    acquire("d", "ada", { timeout: 1500 });
    controller.abort();
    acquire("e", "ada", { timeout: 2000 });
    limiter.refund("ada");
    acquire("f", "ada", { timeout: 2000 });
    await advance(1000);
    await advance(1000);
    await advance(1000);
    expect(log).toEqual([
      "a at 1000",
      "d RateLimitExceededError at 1000",
      "b AbortError at 1000",
      "c at 1000",
      "e at 2000",
      "f at 3000",
    ]);
  });

  test("whose deadline passes because others took the units is refused at the deadline", async () => {
    const { limiter, log, acquire, advance } = open("1/s");
    acquire("a", "ada");
    acquire("b", "ada");
    acquire("c", "ada", { timeout: 2200 });
    limiter.charge("ada", 5);
    await advance(2199);
    expect(log).toEqual(["a at 1000"]);
    await advance(1);
    expect(log).toEqual(["a at 1000", "c RateLimitExceededError at 3200"]);
  });

  test("who was admitted without a deadline counts for those who come after", async () => {
    const { log, acquire, advance } = open("10/s");
    acquire("a", "ada", { weight: 10 });
    for (const name of ["b", "c"]) acquire(name, "ada", { timeout: 1000 });
    for (const name of ["d", "f"]) acquire(name, "ada");
    await advance(301);
    acquire("e", "ada", { timeout: 150 });
    await advance(0);
    expect(log).toEqual(["a at 1000", "b at 1100", "c at 1200", "d at 1300", "e RateLimitExceededError at 1301"]);
  });

  test("maxQueue bounds those who wait for one key", async () => {
    const { log, acquire, advance, limiter } = open("1/s", { maxQueue: 2 });
    for (const name of ["a", "b", "c", "d"]) acquire(name, "ada");
    acquire("e", "bob");
    await advance(0);
    expect(log).toEqual(["a at 1000", "d LimiterError at 1000", "e at 1000"].sort());
    await expect(limiter.acquire("ada")).rejects.toMatchObject({ code: "QUEUE_FULL" });
    await expect(limiter.acquire("ada")).rejects.toThrow("2 wait already, and maxQueue is 2");
    const none = open("1/s", { maxQueue: 0 });
    await none.limiter.acquire("ada");
    await expect(none.limiter.acquire("ada")).rejects.toMatchObject({ code: "QUEUE_FULL" });
  });

  test("buffer is added to each wait, and counts against the deadline", async () => {
    const { log, acquire, advance } = open("1/s", { buffer: 30 });
    acquire("a", "ada");
    acquire("b", "ada", { timeout: 1030 });
    acquire("c", "ada", { timeout: 1029 });
    acquire("d", "ada", { timeout: 2059 });
    acquire("e", "ada", { timeout: 2060 });
    await advance(1029);
    expect(log).toEqual(["a at 1000", "c RateLimitExceededError at 1000", "d RateLimitExceededError at 1000"]);
    await advance(1);
    expect(log.at(-1)).toBe("b at 2030");
    await advance(1030);
    expect(log.at(-1)).toBe("e at 3060");
  });

  test("one timer a key, however many wait, and none once the last has gone", async () => {
    const { clock, acquire, advance } = open("10/s");
    for (let i = 0; i < 1000; i++) acquire(`a${i}`, "ada", { timeout: 1_000_000 });
    for (let i = 0; i < 20; i++) acquire(`b${i}`, "bob");
    expect(clock.pending).toBe(2);
    for (let i = 0; i < 1000; i++) await advance(100);
    expect(clock.pending).toBe(0);
  });

  test("keeps nothing of those who have left, admitted or not, nor of their keys", async () => {
    const { clock, bucket, advance } = open("1/s");
    const lines = new Lines({ bucket, name: "limiter", buffer: 0, maxQueue: Number.POSITIVE_INFINITY }, () => {});
    const listeners = new Set<() => void>();
    const signal = {
      aborted: false,
      reason: new Error("gone"),
      addEventListener: (_: "abort", listener: () => void) => void listeners.add(listener),
      removeEventListener: (_: "abort", listener: () => void) => void listeners.delete(listener),
    };
    const ended: unknown[] = [];
    const join = (key: string, timeout: number) => {
      const end = (outcome: unknown) => void ended.push(outcome);
      const waiter = new Waiter(1, timeout, signal, end, end);
      waiter.deadline = clock.elapsed() + timeout;
      lines.join(key, waiter);
    };
    for (const key of ["ada", "bob", "eve"]) for (const timeout of [10, 1500, 9000]) join(key, timeout);
    // One listener, however many wait with the signal.
    expect([lines.size, ended.length, listeners.size]).toEqual([3, 3, 1]);
    await advance(2000);
    expect([lines.size, ended.length, listeners.size]).toEqual([0, 9, 0]);
    for (let i = 0; i < 2; i++) join("ada", 9000);
    for (const listener of [...listeners]) listener();
    expect([lines.size, ended.length, listeners.size, clock.pending]).toEqual([0, 11, 0, 0]);
  });

  test("waits longer than a timer can", async () => {
    const { log, acquire, advance } = open("1/30d");
    acquire("a", "ada");
    acquire("b", "ada");
    await advance(30 * 86_400_000 - 1);
    expect(log).toHaveLength(1);
    await advance(1);
    expect(log).toHaveLength(2);
  });
});

/** Times that fall on the steps in which the clock of a random test moves. */
function tens(max: number): fc.Arbitrary<number> {
  return fc.integer({ min: 0, max }).map((count) => 10 * count);
}

describe("Limiter.acquire(), whatever comes", () => {
  const algorithm = fc.constantFrom(tokenBucket, slidingWindowLog, fixedWindow, slidingWindowCounter);
  const step = fc.record({
    gap: tens(40),
    key: fc.constantFrom("ada", "bob"),
    weight: fc.integer({ min: 1, max: 4 }),
    timeout: fc.option(tens(300), { nil: undefined }),
    abortAfter: fc.option(
      tens(150).map((ms) => ms + 10),
      { nil: undefined },
    ),
  });

  test("keys are FIFO, admissions are what the bucket admits, nobody waits past a deadline, nothing is left behind", async () => {
    await fc.assert(
      fc.asyncProperty(algorithm, fc.array(step, { maxLength: 40, size: "max" }), async (chosen, steps) => {
        const { clock, limiter, bucket } = open(["4/s", "9/3s"], {}, chosen);
        const order: Record<string, number[]> = { ada: [], bob: [] };
        const pass = async (ms: number) => {
          for (let passed = 0; passed < ms; passed += 10) {
            clock.advance(10);
            await settle();
          }
        };
        for (const [index, { gap, key, weight, timeout, abortAfter }] of steps.entries()) {
          await pass(gap);
          const start = clock.now();
          const controller = new AbortController();
          if (abortAfter !== undefined) clock.schedule(abortAfter, () => controller.abort());
          const options = { weight, signal: controller.signal, ...(timeout === undefined ? {} : { timeout }) };
          const end = Math.min(timeout ?? Number.POSITIVE_INFINITY, abortAfter ?? Number.POSITIVE_INFINITY);
          limiter.acquire(key, options).then(
            () => order[key]?.push(index),
            () => expect(clock.now() - start).toBeLessThanOrEqual(end),
          );
          await settle();
        }
        await pass(60_000);
        for (const indices of Object.values(order)) expect(indices).toEqual([...indices].sort((a, b) => a - b));
        expect(clock.pending).toBe(0);
        bucket.leak();
        expect(bucket.size).toBe(0);
      }),
      { numRuns: 30 },
    );
  });

  test("a forecast is never wrong: with a deadline, a waiter is refused at once or admitted in time", async () => {
    const patient = fc.record({ weight: fc.integer({ min: 1, max: 4 }), timeout: fc.integer({ min: 0, max: 9000 }) });
    await fc.assert(
      fc.asyncProperty(algorithm, fc.array(patient, { maxLength: 30, size: "max" }), async (chosen, waiters) => {
        const { clock, limiter } = open(["4/s", "9/3s"], {}, chosen);
        const start = clock.now();
        const refusedAt: number[] = [];
        const ends = waiters.map((options) => limiter.acquire("ada", options).catch(() => refusedAt.push(clock.now())));
        await settle();
        for (let i = 0; i < 200; i++) {
          clock.advance(50);
          await settle();
        }
        await Promise.all(ends);
        expect(refusedAt.filter((at) => at !== start)).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});

describe("Limiter.acquire() over an async bucket", () => {
  test("asks for the first only, in order, and serves the rest as answers come", async () => {
    const clock = new ManualClock();
    const bucket = new SlowBucket("2/s", { clock, algorithm: tokenBucket });
    const limiter = new Limiter(bucket);
    const order: string[] = [];
    const waiters = ["a", "b", "c"].map((name) => limiter.acquire("ada").then(() => order.push(name)));
    expect(bucket.asked).toEqual(["put"]);
    await bucket.answer();
    await bucket.answer();
    await bucket.answer();
    expect(order).toEqual(["a", "b"]);
    clock.advance(500);
    await bucket.answer();
    await Promise.all(waiters);
    expect([order, bucket.asked.length, clock.pending]).toEqual([["a", "b", "c"], 4, 0]);
  });

  test("gives back what was taken for one who left while the store was asked", async () => {
    const clock = new ManualClock();
    const bucket = new SlowBucket("5/s", { clock });
    const limiter = new Limiter(bucket);
    const controller = new AbortController();
    const waiter = limiter.acquire("ada", { weight: 3, signal: controller.signal });
    controller.abort();
    await expect(waiter).rejects.toThrow();
    await bucket.answer();
    expect(bucket.asked).toEqual(["put", "refund"]);
    await bucket.answer();
    expect(await bucket.count("ada")).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test("asks again only once the units of one who left are back", async () => {
    const clock = new ManualClock();
    const bucket = new SlowBucket("1/h", { clock });
    const limiter = new Limiter(bucket);
    const controller = new AbortController();
    const first = limiter.acquire("ada", { signal: controller.signal });
    const second = limiter.acquire("ada");
    controller.abort();
    await expect(first).rejects.toThrow();
    await bucket.answer();
    expect(bucket.asked).toEqual(["put", "refund"]);
    await bucket.answer();
    expect(bucket.asked).toEqual(["put", "refund", "put"]);
    await bucket.answer();
    expect((await second).allowed).toBe(true);
  });

  test("closes only when the store has answered, and charges nobody who was turned away", async () => {
    const bucket = new SlowBucket("5/h", { clock: new ManualClock() });
    const limiter = new Limiter(bucket);
    const waiting = limiter.acquire("ada");
    let closed = false;
    const closing = limiter.close().then(() => (closed = true));
    await expect(waiting).rejects.toMatchObject({ code: "CLOSED" });
    expect(closed).toBe(false);
    await bucket.answer();
    await bucket.answer();
    await closing;
    expect(bucket.asked).toEqual(["put", "refund"]);
    expect(bucket.inner.count("ada")).toBe(0);
  });

  test("maxQueue refuses nobody while there is room, and the last when there is not", async () => {
    const bucket = new SlowBucket("3/h", { clock: new ManualClock() });
    const limiter = new Limiter(bucket, { maxQueue: 1 });
    const ends = Array.from({ length: 6 }, () =>
      limiter.acquire("ada").then(
        () => "in",
        (error) => error.code,
      ),
    );
    for (let i = 0; i < 6; i++) await bucket.answer();
    await limiter.close();
    expect(await Promise.all(ends)).toEqual(["in", "in", "in", "CLOSED", "QUEUE_FULL", "QUEUE_FULL"]);
  });

  test("tells of a store that does not answer in time, and of one that fails", async () => {
    const clock = new ManualClock();
    const bucket = new SlowBucket("5/s", { clock });
    const limiter = new Limiter(bucket);
    const waiter = limiter.acquire("ada", { timeout: 100 });
    clock.advance(100);
    await expect(waiter).rejects.toMatchObject({ code: "TIMEOUT" });
    class BrokenBucket extends SlowBucket {
      protected override _apply(): Promise<never> {
        return Promise.reject(new Error("connection reset"));
      }
    }
    await expect(new Limiter(new BrokenBucket("5/s", { clock })).acquire("ada")).rejects.toThrow("connection reset");
  });

  test("refuses a newcomer whose deadline those ahead leave no room for", async () => {
    const clock = new ManualClock();
    const bucket = new SlowBucket("1/s", { clock, algorithm: tokenBucket });
    bucket.open = true;
    const limiter = new Limiter(bucket);
    await limiter.acquire("ada");
    const second = limiter.acquire("ada");
    await settle();
    await expect(limiter.acquire("ada", { timeout: 1500 })).rejects.toBeInstanceOf(RateLimitExceededError);
    clock.advance(1000);
    await second;
    await limiter.close();
  });
});
