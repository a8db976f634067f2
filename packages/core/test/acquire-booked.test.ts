import {
  type Decision,
  Limiter,
  LimiterError,
  ManualClock,
  slidingWindowLog,
  toAsync,
  tokenBucket,
  withObserver,
} from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const settle = () => new Promise((resolve) => setImmediate(resolve));
const codeOf = (error: unknown) => (error instanceof LimiterError ? error.code : error);

/** A limiter over a shared bucket that books, and a way to wait that notes who came through when. */
function open(rates: string, options: ConstructorParameters<typeof Limiter>[1] = {}, algorithm = tokenBucket) {
  const clock = new ManualClock();
  const store = new InMemoryBucket(rates, { algorithm, clock });
  const limiter = new Limiter(toAsync(store), { name: "mail", ...options });
  const passed: [name: string, at: number][] = [];
  const wait = (name: string, key = "ada", how: Parameters<typeof limiter.acquire>[1] = {}) =>
    limiter.acquire(key, how).then(
      () => void passed.push([name, clock.now()]),
      (error: unknown) => void passed.push([`${name}: ${codeOf(error)}`, clock.now()]),
    );
  const advance = async (ms: number) => {
    await settle();
    clock.advance(ms);
    await settle();
  };
  return { clock, store, limiter, passed, wait, advance };
}

describe.each([tokenBucket, slidingWindowLog])("Limiter.acquire() over a shared store, by $name", (algorithm) => {
  test("books once for each waiter, and lets them through in order, each at its time", async () => {
    const { limiter, passed, wait, advance, store } = open("1/s", {}, algorithm);
    for (const name of ["a", "b", "c"]) void wait(name);
    await advance(999);
    expect(passed).toEqual([["a", 0]]);
    expect(limiter.waiting).toBe(2);
    await advance(1);
    await advance(1000);
    expect(passed).toEqual([
      ["a", 0],
      ["b", 1000],
      ["c", 2000],
    ]);
    expect([limiter.waiting, store.count("ada")]).toEqual([0, 1]);
  });

  test("other processes stand in the same line", async () => {
    const { limiter, store, clock, advance } = open("1/s", {}, algorithm);
    const other = new Limiter(toAsync(store));
    const order: string[] = [];
    const first = limiter.acquire("ada").then(() => order.push("ours at 0"));
    await first;
    void other.acquire("ada").then(() => order.push(`theirs at ${clock.now()}`));
    await settle();
    void limiter.acquire("ada").then(() => order.push(`ours at ${clock.now()}`));
    await advance(1000);
    await advance(1000);
    expect(order).toEqual(["ours at 0", "theirs at 1000", "ours at 2000"]);
  });

  test("who leaves gives back what was booked", async () => {
    const { limiter, store, passed, wait, advance } = open("1/s", {}, algorithm);
    const controller = new AbortController();
    void wait("a");
    void wait("b", "ada", { signal: controller.signal });
    await settle();
    expect(store.count("ada")).toBe(2);
    controller.abort("enough");
    await settle();
    expect(passed.at(-1)).toEqual(["b: enough", 0]);
    expect([store.count("ada"), limiter.waiting]).toEqual([1, 0]);
    void wait("c");
    await advance(1000);
    expect(passed.at(-1)).toEqual(["c", 1000]);
  });

  test("a deadline that cannot be met is refused at once, and nothing is booked", async () => {
    const { store, passed, wait } = open("1/s", {}, algorithm);
    void wait("a");
    void wait("b", "ada", { timeout: 999.999 });
    void wait("c", "ada", { timeout: 1000 });
    void wait("d", "ada", { timeout: 1999 });
    await settle();
    expect(passed).toEqual([
      ["a", 0],
      ["b: RATE_LIMIT_EXCEEDED", 0],
      ["d: RATE_LIMIT_EXCEEDED", 0],
    ]);
    expect(store.count("ada")).toBe(2);
  });

  test("close turns away who waits and gives back what was booked", async () => {
    const { limiter, store, passed, wait } = open("1/s", {}, algorithm);
    const counts: number[] = [];
    store.close = () => void counts.push(store.count("ada"));
    for (const name of ["a", "b", "c"]) void wait(name);
    await settle();
    await limiter.close();
    expect(passed).toEqual([
      ["a", 0],
      ["b: CLOSED", 0],
      ["c: CLOSED", 0],
    ]);
    expect(counts).toEqual([1]);
  });
});

describe("Limiter.acquire() over a shared store", () => {
  test("maxQueue is for each key, and counts who has to wait", async () => {
    const { passed, wait } = open("1/s", { maxQueue: 1 });
    for (const name of ["a", "b", "c"]) void wait(name);
    for (const name of ["d", "e"]) void wait(name, "bob");
    await settle();
    void wait("f");
    await settle();
    expect(passed.map(([name]) => name).sort()).toEqual(["a", "c: QUEUE_FULL", "d", "f: QUEUE_FULL"]);
  });

  test("adds the buffer to each wait", async () => {
    const { passed, wait, advance } = open("1/s", { buffer: 20 });
    void wait("a");
    void wait("b");
    void wait("c", "ada", { timeout: 2010 });
    await advance(1019);
    expect(passed).toEqual([
      ["a", 0],
      ["c: RATE_LIMIT_EXCEEDED", 0],
    ]);
    await advance(1);
    expect(passed.at(-1)).toEqual(["b", 1020]);
  });

  test("has one timer however many wait, and asks the store once for each", async () => {
    const clock = new ManualClock();
    let asked = 0;
    const store = withObserver(new InMemoryBucket("100/s", { algorithm: tokenBucket, clock }), {
      onDecision: () => asked++,
    });
    const limiter = new Limiter(toAsync(store));
    const waiting = Array.from({ length: 1000 }, () => limiter.acquire("ada"));
    await settle();
    expect(clock.pending).toBe(1);
    for (let i = 0; i < 100; i++) {
      clock.advance(100);
      await settle();
    }
    await Promise.all(waiting);
    expect(asked).toBe(1000);
    expect(clock.pending).toBe(0);
  });

  test("the decision tells of the moment at which it was let through", async () => {
    const { limiter, advance } = open("2/s");
    await limiter.acquire("ada", { weight: 2 });
    const waiting = limiter.acquire("ada");
    await advance(500);
    expect(await waiting).toMatchObject({
      allowed: true,
      retryAfter: 0,
      remaining: 0,
      resetAfter: 1000,
    } satisfies Partial<Decision>);
  });

  test("nobody passes before its time, keys are FIFO, and what was given up is there for others", async () => {
    const step = fc.oneof(
      fc.record({ key: fc.constantFrom("a", "b"), timeout: fc.option(fc.integer({ min: 0, max: 4000 })) }),
      fc.record({ advance: fc.integer({ min: 0, max: 1500 }) }),
      fc.record({ abort: fc.nat(4) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(tokenBucket, slidingWindowLog),
        fc.array(step, { maxLength: 40 }),
        async (algorithm, steps) => {
          const { clock, limiter, store } = open("2/s", {}, algorithm);
          const controllers: AbortController[] = [];
          const passed: { key: string; order: number; at: number }[] = [];
          for (const each of steps) {
            if ("advance" in each) clock.advance(each.advance);
            else if ("abort" in each) controllers.at(-each.abort)?.abort();
            else {
              const controller = new AbortController();
              const order = controllers.push(controller);
              const how = { signal: controller.signal, ...(each.timeout === null ? {} : { timeout: each.timeout }) };
              limiter.acquire(each.key, how).then(
                () => passed.push({ key: each.key, order, at: clock.now() }),
                () => {},
              );
            }
            await settle();
          }
          for (const key of ["a", "b"]) {
            const own = passed.filter((each) => each.key === key);
            expect(own.map(({ order }) => order)).toEqual(own.map(({ order }) => order).sort((a, b) => a - b));
            for (let i = 2; i < own.length; i++) {
              // A clock that leaps wakes several at once; what counts is that none was early.
              expect((own[i]?.at ?? 0) - (own[0]?.at ?? 0)).toBeGreaterThanOrEqual(((i - 1) / 2) * 500 - 500);
            }
          }
          clock.advance(1_000_000);
          await settle();
          expect([limiter.waiting, store.count("a"), store.count("b"), clock.pending]).toEqual([0, 0, 0, 0]);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe("Limiter.reserve()", () => {
  test("books in line, commits in either direction, and cancels once", () => {
    const limiter = new Limiter(new InMemoryBucket("10/s", { algorithm: tokenBucket, clock: new ManualClock(5000) }));
    expect(limiter.reserve("ada", 10)).toMatchObject({ key: "ada", weight: 10, delay: 0, at: 5000 });
    const reservation = limiter.reserve("ada", 4);
    expect([reservation.delay, reservation.at]).toEqual([400, 5400]);
    reservation.commit(6);
    expect(limiter.peek("ada").retryAfter).toBe(700);
    reservation.cancel();
    reservation.commit(0);
    expect(limiter.peek("ada").retryAfter).toBe(700);
    const second = limiter.reserve("ada", 2);
    second.commit(1);
    expect(limiter.peek("ada").retryAfter).toBe(800);
    limiter.reserve("ada", 2).cancel();
    expect(limiter.peek("ada").retryAfter).toBe(800);
    expect(() => second.commit(-1)).toThrow(RangeError);
  });

  test.each([
    ["keep", 8, 4],
    ["proportional", 4, 0],
    ["reset", 3, 3],
  ] as const)("gives back what surely still counts after rates were replaced by %s", (strategy, used, left) => {
    const bucket = new InMemoryBucket("10/s", { algorithm: tokenBucket, clock: new ManualClock() });
    const reservation = new Limiter(bucket).reserve("ada", 8);
    bucket.replaceRates("5/s", strategy);
    if (strategy === "reset") bucket.put({ key: "ada", weight: 3 });
    expect(bucket.count("ada")).toBe(used);
    reservation.cancel();
    expect(bucket.count("ada")).toBe(left);
  });

  test("who waits is served at once when a reservation is cancelled", async () => {
    const limiter = new Limiter(new InMemoryBucket("10/s", { algorithm: tokenBucket, clock: new ManualClock() }));
    const reservation = limiter.reserve("ada", 10);
    const waiting = limiter.acquire("ada", { weight: 4 });
    reservation.commit(6);
    expect((await waiting).allowed).toBe(true);
    limiter.close();
  });

  test("what is too far ahead, or never fits, is refused with the wait", async () => {
    const limiter = new Limiter(
      toAsync(new InMemoryBucket("10/s", { algorithm: tokenBucket, clock: new ManualClock() })),
      { name: "api" },
    );
    await limiter.reserve("ada", 10);
    await expect(limiter.reserve("ada", 5, { maxWait: 499 })).rejects.toMatchObject({
      code: "RATE_LIMIT_EXCEEDED",
      limiter: "api",
      decision: { retryAfter: 500 },
    });
    await expect(limiter.reserve("ada", 11)).rejects.toMatchObject({
      decision: { retryAfter: Number.POSITIVE_INFINITY },
    });
    await expect(limiter.reserve("ada", 1, 500 as unknown as object)).rejects.toThrow(
      "Cannot reserve with 500: pass options",
    );
    await expect(limiter.reserve("ada", 1, { maxWait: -1 })).rejects.toThrow(RangeError);
    expect((await limiter.peek("ada")).retryAfter).toBe(100);
  });

  test("is refused with the way out where it cannot be", async () => {
    const { fixedWindow } = await import("@sluice/core");
    const limiter = new Limiter(new InMemoryBucket("10/s", { algorithm: fixedWindow }));
    const rule =
      "fixed-window cannot tell when units will be there. Use tokenBucket or slidingWindowLog, or acquire().";
    expect(() => limiter.reserve("ada")).toThrow(new RangeError(`Cannot reserve in this bucket: ${rule}`));
  });
});
