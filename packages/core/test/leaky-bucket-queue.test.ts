import { LeakyBucketQueue, LimiterError, ManualClock } from "@sluice/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Level } from "../src/queue/level.js";

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Lets time pass bit by bit, so that whoever notes when something happened notes it then. */
async function elapse(clock: ManualClock, ms: number): Promise<void> {
  for (let i = 0; i < ms; i++) {
    clock.advance(1);
    for (let turn = 0; turn < 3; turn++) await undefined;
  }
}

/** A queue on a clock of its own, and a way to stand in it that notes when each was let through. */
function open(options: Partial<ConstructorParameters<typeof LeakyBucketQueue>[0]> = {}) {
  const clock = new ManualClock();
  const queue = new LeakyBucketQueue({ capacity: 2, seconds: 1, clock, ...options });
  const passed: [name: string, at: number][] = [];
  const enter = (name: string, amount?: number, how?: Parameters<LeakyBucketQueue["acquire"]>[1]) =>
    queue.acquire(amount, how).then(
      () => void passed.push([name, clock.now()]),
      (error: unknown) =>
        void passed.push([`${name}: ${error instanceof LimiterError ? error.code : error}`, clock.now()]),
    );
  const advance = async (ms: number) => {
    await settle();
    clock.advance(ms);
    await settle();
  };
  return { clock, queue, passed, enter, advance };
}

describe("LeakyBucketQueue", () => {
  test("lets the capacity through at once, and then as fast as it leaks, in order", async () => {
    const { queue, passed, enter, advance } = open();
    for (const name of ["a", "b", "c", "d"]) void enter(name);
    await settle();
    expect(passed).toEqual([
      ["a", 0],
      ["b", 0],
    ]);
    expect(queue.size).toBe(2);
    await advance(499.999);
    expect(passed).toHaveLength(2);
    await advance(0.001);
    expect(passed.at(-1)).toEqual(["c", 500]);
    await advance(10_000);
    expect(passed.at(-1)?.[0]).toBe("d");
    expect(queue.size).toBe(0);
  });

  test("a small amount never overtakes a large one", async () => {
    const { passed, enter, advance } = open();
    void enter("first", 1);
    void enter("large", 2);
    void enter("small", 0.125);
    await advance(499);
    expect(passed).toEqual([["first", 0]]);
    await advance(1);
    expect(passed.at(-1)).toEqual(["large", 500]);
    await advance(62.5);
    expect(passed.at(-1)).toEqual(["small", 562.5]);
  });

  test("takes fractions, and tells what is needed", () => {
    const { clock, queue } = open();
    void queue.acquire(1.5);
    expect(queue.capacityInfo(0.5)).toEqual({ hasCapacity: true, neededCapacity: 0 });
    expect(queue.capacityInfo(1.25)).toEqual({ hasCapacity: false, neededCapacity: 0.75 });
    clock.advance(250);
    expect(queue.capacityInfo(1.25)).toEqual({ hasCapacity: false, neededCapacity: 0.25 });
  });

  test("counts the timeout from the call, the time in the queue included, and takes nothing", async () => {
    const { queue, passed, enter, advance } = open();
    void enter("all", 2);
    void enter("patient", 2, { timeout: 1000 });
    void enter("hasty", 1, { timeout: 999 });
    void enter("last", 1);
    await advance(998);
    expect(queue.size).toBe(3);
    await advance(1);
    expect(passed.at(-1)).toEqual(["hasty: TIMEOUT", 999]);
    await advance(1);
    expect(passed.at(-1)).toEqual(["patient", 1000]);
    await advance(500);
    expect(passed.at(-1)).toEqual(["last", 1500]);
  });

  test("who leaves by a signal takes nothing, and those behind close up at once", async () => {
    const { passed, enter } = open();
    const controller = new AbortController();
    void enter("all", 1);
    void enter("large", 2, { signal: controller.signal });
    void enter("small", 1);
    controller.abort("enough");
    await settle();
    expect(passed).toEqual([
      ["all", 0],
      ["large: enough", 0],
      ["small", 0],
    ]);
    await enter("raised before", 1, { signal: AbortSignal.abort("no") });
    expect(passed.at(-1)).toEqual(["raised before: no", 0]);
  });

  test("an amount above the capacity is a RangeError at once, as is what is no amount", async () => {
    const { queue } = open();
    await expect(queue.acquire(2.5)).rejects.toThrow(
      new RangeError("Cannot acquire 2.5: the bucket holds 2. Ask for less at a time or raise the capacity."),
    );
    await expect(queue.acquire(-1)).rejects.toThrow(RangeError);
    await expect(queue.acquire(Number.NaN)).rejects.toThrow(RangeError);
    await expect(queue.acquire("1" as unknown as number)).rejects.toThrow(TypeError);
    expect(() => queue.capacityInfo(3)).toThrow(RangeError);
  });

  test("a full queue makes newcomers wait for room, or turns them away", async () => {
    const waits = open({ maxSize: 1 });
    for (const name of ["a", "b", "c", "d"]) void waits.enter(name);
    expect(waits.queue.size).toBe(1);
    await waits.advance(1000);
    expect(waits.passed.map(([name]) => name)).toEqual(["a", "b", "c", "d"]);
    const rejects = open({ maxSize: 1, whenFull: "reject" });
    for (const name of ["a", "b", "c", "d"]) void rejects.enter(name);
    await settle();
    expect(rejects.passed.map(([name]) => name)).toEqual(["a", "b", "d: QUEUE_FULL"]);
  });

  test("shutdown drains the queue, then is done, and refuses all who come later", async () => {
    const { queue, passed, enter, advance } = open();
    for (const name of ["a", "b", "c"]) void enter(name);
    let done = false;
    const draining = queue.shutdown().then(() => {
      done = true;
    });
    await enter("late");
    expect(passed.at(-1)).toEqual(["late: CLOSED", 0]);
    await advance(499);
    expect(done).toBe(false);
    await advance(1);
    await draining;
    expect(passed.at(-1)).toEqual(["c", 500]);
    await queue.shutdown();
    await queue[Symbol.asyncDispose]();
  });

  test("has one timer however many wait, and none when nobody does", async () => {
    const { clock, queue, enter, advance } = open({ capacity: 100, seconds: 1 });
    for (let i = 0; i < 1100; i++) void enter(`${i}`, 1, { timeout: 1e9 });
    expect(clock.pending).toBe(1);
    for (let i = 0; i < 1000; i++) await advance(10);
    expect([queue.size, clock.pending]).toEqual([0, 0]);
  });

  test("waits beyond 2^31 ms do not overflow a timer", async () => {
    const queue = new LeakyBucketQueue({ capacity: 1, seconds: 2 ** 32 });
    await queue.acquire();
    let passed = false;
    const controller = new AbortController();
    const waiting = queue.acquire(1, { signal: controller.signal }).then(
      () => {
        passed = true;
      },
      () => {},
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(passed).toBe(false);
    controller.abort();
    await waiting;
  });

  test.each([
    [{ capacity: 0 }, RangeError],
    [{ capacity: Number.POSITIVE_INFINITY }, RangeError],
    [{ seconds: -1 }, RangeError],
    [{ seconds: "1" }, TypeError],
    [{ maxSize: Number.NaN }, RangeError],
    [{ maxSize: 1.5 }, RangeError],
    [{ whenFull: "drop" }, TypeError],
  ])("refuses %j", (options, type) => {
    expect(() => open(options as object)).toThrow(type);
  });

  test("says what a call without what it needs lacks", async () => {
    expect(() => new LeakyBucketQueue(undefined as never)).toThrow(
      new TypeError(
        "Cannot make a queue with undefined: pass options, as in new LeakyBucketQueue({ capacity: 5, seconds: 1 }).",
      ),
    );
    expect(() => new LeakyBucketQueue({ seconds: 1 } as never)).toThrow(
      new TypeError("Cannot use undefined as capacity: it is a number. Pass one."),
    );
    expect(() => open({ seconds: 0 })).toThrow(new RangeError("Cannot use 0 as seconds: it is more than 0. Pass one."));
    for (const options of [null, 1000]) {
      await expect(open().queue.acquire(1, options as never)).rejects.toThrow(/pass options, as in acquire/);
    }
  });

  test("forgives what fractions are off by, and no more", async () => {
    const { queue, passed, enter } = open({ capacity: 3.3 });
    await enter("first", 1.1);
    expect(queue.capacityInfo(2.2)).toEqual({ hasCapacity: true, neededCapacity: 0 });
    expect(queue.capacityInfo(2.2 + 1e-9).hasCapacity).toBe(false);
    await enter("rest", 2.2);
    expect(passed).toEqual([
      ["first", 0],
      ["rest", 0],
    ]);
  });

  test("is first come, first served, and lets through no more than capacity + leak, whatever comes and goes", async () => {
    const step = fc.oneof(
      fc.record({ amount: fc.integer({ min: 0, max: 8 }), timeout: fc.option(fc.integer({ min: 1, max: 3000 })) }),
      fc.record({ advance: fc.integer({ min: 0, max: 700 }) }),
      fc.record({ abort: fc.nat(5) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { clock, queue } = open();
        const entered: { order: number; amount: number; controller: AbortController }[] = [];
        const passed: { order: number; amount: number; at: number }[] = [];
        for (const each of steps) {
          if ("advance" in each) await elapse(clock, each.advance);
          else if ("abort" in each) entered.at(-each.abort)?.controller.abort();
          else {
            const order = entered.length;
            const amount = each.amount / 4;
            const controller = new AbortController();
            entered.push({ order, amount, controller });
            const how = { signal: controller.signal, ...(each.timeout === null ? {} : { timeout: each.timeout }) };
            queue.acquire(amount, how).then(
              () => passed.push({ order, amount, at: clock.now() }),
              () => {},
            );
          }
          await settle();
        }
        expect(passed.map(({ order }) => order)).toEqual(passed.map(({ order }) => order).sort((a, b) => a - b));
        for (const [i, { at }] of passed.entries()) {
          for (let j = 0; j <= i; j++) {
            const span = passed.slice(j, i + 1).reduce((sum, { amount }) => sum + amount, 0);
            const start = passed[j]?.at ?? 0;
            expect(span).toBeLessThanOrEqual(2 + ((at - start) / 1000) * 2 + 1e-9);
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe("Level", () => {
  test("excess() and a refusal change nothing", () => {
    const level = new Level(2, 0.002, 0);
    level.admit(2, 0);
    expect([level.excess(1, 250), level.admit(2, 250), level.fitsAt(1, 250)]).toEqual([0.5, false, 500]);
    expect(level.excess(1, 0)).toBe(1);
  });
});
