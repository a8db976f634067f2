import {
  type AbstractBucket,
  Limiter,
  LimiterError,
  type LimiterOptions,
  ManualClock,
  type RateItem,
  StoreError,
  toAsync,
  tokenBucket,
  withFallback,
} from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MapRemoteBucket } from "../../../test/conformance/map-remote-bucket.js";

const COOL_DOWN = 1000;
const away = () => Promise.reject(new StoreError("The map is away.", { code: "STORE" }));
const settle = () => new Promise((resolve) => setImmediate(resolve));
const codeOf = (error: unknown) => (error instanceof LimiterError ? error.code : error);

interface Opening extends LimiterOptions {
  readonly clock?: ManualClock;
  readonly other?: AbstractBucket<"async"> | "closed";
}

/** A limiter over a shared store that can be cut off, and refuses then until it is tried again. */
function open(rates: string, { clock = new ManualClock(), other = "closed", ...options }: Opening = {}) {
  const primary = new MapRemoteBucket(rates, { algorithm: tokenBucket, clock }, clock);
  const bucket = withFallback(primary, other, { breaker: { failures: 1, coolDown: COOL_DOWN } });
  const reserve = bucket.reserve.bind(bucket);
  const asked: number[] = [];
  bucket.reserve = (item: RateItem, maxWait?: number) => {
    asked.push(clock.now());
    return reserve(item, maxWait);
  };
  const limiter = new Limiter(bucket, options);
  const log: string[] = [];
  const join = (name: string, how: Parameters<typeof limiter.acquire>[1] = {}) =>
    limiter.acquire("ada", how).then(
      () => void log.push(`${name} at ${clock.now()}`),
      (error: unknown) => void log.push(`${name}: ${codeOf(error)} at ${clock.now()}`),
    );
  const advance = async (ms: number, steps = 1) => {
    for (let i = 0; i < steps; i++) {
      await settle();
      clock.advance(ms);
      await settle();
    }
  };
  const breakDown = () => {
    primary.travel = away;
  };
  const mend = () => {
    primary.travel = async () => {};
  };
  /** Lets the store answer nothing until what is given back is called, and then fail. */
  const hold = () => {
    let fail = () => {};
    primary.travel = () => new Promise<void>((resolve) => (fail = resolve)).then(away);
    return () => fail();
  };
  return { clock, primary, limiter, asked, log, join, advance, breakDown, mend, hold };
}

describe("Limiter.acquire() over a shared store with a closed fallback", () => {
  test("waits where the store was away before, and passes when it is tried again, not a microsecond sooner", async () => {
    const { log, join, advance, breakDown, mend } = open("1/s");
    breakDown();
    void join("a");
    await settle();
    mend();
    await advance(COOL_DOWN - 0.001);
    expect(log).toEqual([]);
    await advance(0.001);
    expect(log).toEqual(["a at 1000"]);
  });

  test("keeps the order of all who came in an outage, however long it lasts", async () => {
    const { log, join, advance, breakDown, mend, limiter, clock } = open("2/s");
    breakDown();
    for (const name of ["a", "b", "c"]) void join(name);
    await advance(COOL_DOWN);
    void join("d");
    await advance(500);
    mend();
    void join("e");
    await advance(500, 5);
    expect(log).toEqual(["a at 2000", "b at 2000", "c at 2500", "d at 3000", "e at 3500"]);
    expect([limiter.waiting, clock.pending]).toEqual([0, 0]);
  });

  test("who had units booked before the outage passes in it, and before all who came since", async () => {
    const { log, join, advance, breakDown, mend } = open("1/s");
    for (const name of ["a", "b"]) void join(name);
    await advance(500);
    breakDown();
    for (const name of ["c", "d"]) void join(name);
    await advance(500);
    expect(log).toEqual(["a at 0", "b at 1000"]);
    mend();
    await advance(500, 4);
    expect(log.slice(2)).toEqual(["c at 2000", "d at 3000"]);
  });

  test("nobody overtakes one whose question alone was lost: it moves up to the units of the next", async () => {
    const { primary, log, join, advance } = open("2/s");
    const reserve = primary.reserve.bind(primary);
    let questions = 0;
    primary.reserve = (item, maxWait) => (++questions === 2 ? away() : reserve(item, maxWait));
    for (const name of ["a", "b", "c"]) void join(name);
    await settle();
    expect(log).toEqual(["a at 0", "b at 0"]);
    await advance(COOL_DOWN);
    expect(log).toEqual(["a at 0", "b at 0", "c at 1000"]);
  });

  test("nobody overtakes it either where the answer for the next comes late", async () => {
    const { primary, log, join, advance } = open("10/s");
    const reserve = primary.reserve.bind(primary);
    let questions = 0;
    let answer = () => {};
    primary.reserve = async (item, maxWait) => {
      const question = ++questions;
      if (question === 1) return away();
      const booking = await reserve(item, maxWait);
      if (question === 2) await new Promise<void>((resolve) => (answer = resolve));
      return booking;
    };
    await primary.charge({ key: "ada", weight: 10 });
    for (const name of ["a", "b", "c"]) void join(name);
    await advance(250);
    answer();
    await advance(50, 2);
    await advance(COOL_DOWN);
    expect(log).toEqual(["a at 350", "b at 350", "c at 1350"]);
  });

  test("who was booked for behind one that is turned away for the outage keeps its units", async () => {
    const { primary, log, join, advance } = open("1/s", { maxQueue: 0 });
    const reserve = primary.reserve.bind(primary);
    let questions = 0;
    primary.reserve = (item, maxWait) => (++questions === 1 ? away() : reserve(item, maxWait));
    for (const name of ["a", "b"]) void join(name);
    await advance(0);
    expect(log).toEqual(["a: QUEUE_FULL at 0", "b at 0"]);
  });

  test("a timeout that ends before the store is tried again is refused at once, whenever it comes", async () => {
    const { log, asked, join, advance, breakDown } = open("1/s");
    breakDown();
    void join("a", { timeout: COOL_DOWN - 0.001 });
    void join("b", { timeout: 1500 });
    await advance(100);
    void join("c", { timeout: 899 });
    void join("d", { timeout: 900.5 });
    await settle();
    expect(log).toEqual(["a: RATE_LIMIT_EXCEEDED at 0", "c: RATE_LIMIT_EXCEEDED at 100"]);
    await advance(900);
    expect(log.slice(2)).toEqual(["b: RATE_LIMIT_EXCEEDED at 1000", "d: RATE_LIMIT_EXCEEDED at 1000"]);
    expect(asked).toEqual([0, 0, 1000]);
  });

  test("a timeout that ends as the store is tried again is over, and nothing is asked for it", async () => {
    const { log, asked, join, advance, breakDown, mend } = open("2/s");
    breakDown();
    void join("a", { weight: 2, timeout: COOL_DOWN });
    void join("b");
    await settle();
    mend();
    await advance(COOL_DOWN);
    expect(log).toEqual(["a: TIMEOUT at 1000", "b at 1000"]);
    expect(asked).toEqual([0, 0, 1000]);
  });

  test("the refusal says when the store is tried again", async () => {
    const { limiter, join, advance, breakDown } = open("1/s");
    breakDown();
    void join("a");
    await advance(400);
    await expect(limiter.acquire("ada", { timeout: 100 })).rejects.toMatchObject({
      decision: { allowed: false, degraded: true, retryAfter: 600 },
    });
  });

  test("adds the buffer to the wait for the store", async () => {
    const { log, join, advance, breakDown, mend } = open("1/s", { buffer: 20 });
    breakDown();
    void join("a");
    void join("b", { timeout: COOL_DOWN + 19 });
    await settle();
    expect(log).toEqual(["b: RATE_LIMIT_EXCEEDED at 0"]);
    mend();
    await advance(COOL_DOWN + 20);
    expect(log).toEqual(["b: RATE_LIMIT_EXCEEDED at 0", "a at 1020"]);
  });

  test("who gives up in an outage leaves at once, and the next is asked for when it would have been", async () => {
    const { log, asked, join, advance, breakDown, mend, clock } = open("1/s");
    const controller = new AbortController();
    breakDown();
    void join("a", { signal: controller.signal });
    void join("b");
    await advance(400);
    controller.abort();
    await settle();
    expect(log).toEqual([expect.stringMatching(/^a: .* at 400$/)]);
    mend();
    await advance(600);
    expect(log.at(-1)).toBe("b at 1000");
    expect([asked, clock.pending]).toEqual([[0, 0, 1000], 0]);
  });

  test("who leaves while the store is tried for it lets nobody ask before the store may be tried again", async () => {
    const { asked, join, advance, breakDown, hold } = open("1/s");
    const controller = new AbortController();
    breakDown();
    void join("a", { signal: controller.signal });
    void join("b");
    await settle();
    const fail = hold();
    await advance(COOL_DOWN);
    controller.abort();
    fail();
    await advance(COOL_DOWN - 1);
    expect(asked).toEqual([0, 0, 1000]);
    await advance(1);
    expect(asked).toEqual([0, 0, 1000, 2000]);
  });

  test("who comes after all have given up who waited for the store does not wait for it", async () => {
    const { log, join, advance, breakDown, mend } = open("1/10s");
    const controller = new AbortController();
    for (const name of ["a", "b"]) void join(name);
    await settle();
    breakDown();
    void join("c", { signal: controller.signal });
    await settle();
    controller.abort("enough");
    await advance(COOL_DOWN);
    mend();
    void join("d");
    await advance(9000);
    await advance(10_000);
    expect(log).toEqual(["a at 0", "c: enough at 0", "b at 10000", "d at 20000"]);
  });

  test("once all have given up, or the limiter is closed, no timer is left", async () => {
    const { log, limiter, join, breakDown, clock } = open("1/s");
    const controller = new AbortController();
    breakDown();
    void join("a", { signal: controller.signal });
    await settle();
    expect(clock.pending).toBe(1);
    controller.abort("enough");
    expect([clock.pending, limiter.waiting]).toEqual([0, 0]);
    for (const name of ["b", "c"]) void join(name);
    await settle();
    await limiter.close();
    expect(log).toEqual(["a: enough at 0", "b: CLOSED at 0", "c: CLOSED at 0"]);
    expect([clock.pending, limiter.waiting]).toEqual([0, 0]);
  });

  test("maxQueue counts those who wait for the store, also while it is tried", async () => {
    const { log, join, advance, breakDown, mend, hold } = open("1/s", { maxQueue: 2 });
    breakDown();
    for (const name of ["a", "b", "c"]) void join(name);
    await settle();
    void join("d");
    await settle();
    expect(log).toEqual(["c: QUEUE_FULL at 0", "d: QUEUE_FULL at 0"]);
    const fail = hold();
    await advance(COOL_DOWN);
    void join("e");
    fail();
    await settle();
    mend();
    await advance(COOL_DOWN, 2);
    expect(log.slice(2)).toEqual(["e: QUEUE_FULL at 1000", "a at 2000", "b at 3000"]);
  });

  test("100 who wait ask once each time the store may be tried, newcomers not at all, and then all in one trip", async () => {
    const { primary, log, asked, join, advance, breakDown, mend, clock } = open("1000/s");
    breakDown();
    for (let i = 0; i < 100; i++) void join(`${i}`);
    await settle();
    expect([asked.length, clock.pending]).toEqual([100, 1]);
    for (let i = 100; i < 200; i++) void join(`${i}`);
    await advance(COOL_DOWN, 10);
    expect(asked.slice(100)).toEqual(Array.from({ length: 10 }, (_, i) => (i + 1) * COOL_DOWN));
    mend();
    primary.trips.length = 0;
    await advance(COOL_DOWN);
    expect([asked.length, primary.trips.length]).toEqual([100 + 10 + 200, 2]);
    expect(log).toEqual(Array.from({ length: 200 }, (_, i) => `${i} at 11000`));
  });

  test("who passes in an outage, since it weighs nothing, does not make the others ask", async () => {
    const { log, asked, join, advance, breakDown } = open("1/s");
    const controller = new AbortController();
    breakDown();
    void join("a", { signal: controller.signal });
    await settle();
    void join("b", { weight: 0 });
    for (const name of ["c", "d", "e"]) void join(name);
    controller.abort("enough");
    await advance(COOL_DOWN);
    expect(log).toEqual(["a: enough at 0", "b at 1000"]);
    expect(asked).toEqual([0, 1000, 1000]);
  });

  test("rates that are replaced in an outage hold for those who wait", async () => {
    const { primary, log, asked, join, advance, breakDown, mend } = open("1/s");
    breakDown();
    for (const name of ["a", "b", "c"]) void join(name);
    await advance(500);
    mend();
    await primary.replaceRates("2/s", "reset");
    await settle();
    expect(asked).toEqual([0, 0, 0]);
    await advance(500, 2);
    expect(log).toEqual(["a at 1000", "b at 1000", "c at 1500"]);
  });
});

describe("Limiter.acquire() over a shared store with a fallback that books", () => {
  test("whom the fallback refuses for its timeout is refused at once, and newcomers are asked for", async () => {
    const clock = new ManualClock();
    const own = new InMemoryBucket("2/s", { algorithm: tokenBucket, clock });
    const other = toAsync(own);
    const reserve = other.reserve.bind(other);
    let questions = 0;
    let answer = () => {};
    other.reserve = async (item, maxWait) => {
      if (++questions === 2) await new Promise<void>((resolve) => (answer = resolve));
      return reserve(item, maxWait);
    };
    const { log, join, breakDown } = open("2/s", { clock, other });
    breakDown();
    own.charge({ key: "ada", weight: 2 });
    void join("a", { timeout: 499 });
    void join("b");
    await settle();
    own.flush("ada");
    void join("c", { timeout: 499 });
    await settle();
    answer();
    await settle();
    expect(log).toEqual(["a: RATE_LIMIT_EXCEEDED at 0", "b at 0", "c at 0"]);
  });
});

describe("Limiter.acquire() over a shared store that comes and goes", () => {
  test("serves all in order, holds the bound, and leaves nothing behind", async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ join: fc.integer({ min: 1, max: 4 }) }) },
      { weight: 2, arbitrary: fc.record({ leave: fc.nat(30) }) },
      { weight: 2, arbitrary: fc.record({ advance: fc.integer({ min: 1, max: 5 }) }) },
      { weight: 1, arbitrary: fc.record({ away: fc.boolean() }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, hasty) => {
        const { primary, limiter, clock, advance, breakDown, mend } = open("4/s");
        const controllers: AbortController[] = [];
        const passed: { order: number; weight: number; at: number }[] = [];
        const join = (weight: number) => {
          const controller = new AbortController();
          const order = controllers.push(controller);
          const note = () => void passed.push({ order, weight, at: clock.now() });
          limiter.acquire("ada", { weight, signal: controller.signal }).then(note, () => {});
        };
        for (const each of steps) {
          if ("advance" in each) await advance(250, each.advance);
          else if ("leave" in each) controllers[each.leave]?.abort();
          else if ("join" in each) join(each.join);
          else if (each.away) breakDown();
          else mend();
          if (!hasty) await settle();
        }
        mend();
        await advance(250, 300);
        expect([limiter.waiting, clock.pending, await primary.count("ada")]).toEqual([0, 0, 0]);
        expect(passed.map(({ order }) => order)).toEqual(passed.map(({ order }) => order).sort((a, b) => a - b));
        for (const { at: from } of passed) {
          const inSecond = passed.filter(({ at }) => at >= from && at < from + 1000);
          // A clock that leaps lets answers, and who waits for them, be late by 250 ms each.
          expect(inSecond.reduce((sum, { weight }) => sum + weight, 0)).toBeLessThan(4 + 4 * 1.25);
        }
      }),
      { numRuns: 150 },
    );
  });
});
