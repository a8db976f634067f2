import {
  Limiter,
  ManualClock,
  type RateItem,
  type ReplaceStrategy,
  slidingWindowLog,
  toAsync,
  tokenBucket,
} from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MapRemoteBucket } from "../../../test/conformance/map-remote-bucket.js";

const settle = () => new Promise((resolve) => setImmediate(resolve));
const HOUR = 3_600_000;

/** A limiter over a shared bucket that books, counting what the bucket is asked. */
function open(rates: string, algorithm = tokenBucket) {
  const clock = new ManualClock();
  const store = new InMemoryBucket(rates, { algorithm, clock });
  const asked: string[] = [];
  const reserve = store.reserve.bind(store);
  const cancel = store.cancel.bind(store);
  store.reserve = (item, maxWait) => {
    asked.push("reserve");
    return reserve(item, maxWait);
  };
  store.cancel = (item, booking) => {
    asked.push("cancel");
    return cancel(item, booking);
  };
  const limiter = new Limiter(toAsync(store));
  const passed: { name: string; weight: number; at: number }[] = [];
  const join = (name: string, weight = 1, signal?: AbortSignal) =>
    limiter.acquire("ada", signal === undefined ? { weight } : { weight, signal }).then(
      () => void passed.push({ name, weight, at: clock.now() }),
      () => {},
    );
  const advance = async (ms: number, steps = 1) => {
    for (let i = 0; i < steps; i++) {
      await settle();
      clock.advance(ms);
      await settle();
    }
  };
  const names = () => passed.map(({ name }) => name);
  return { clock, store, limiter, asked, passed, join, advance, names };
}

/** The most that went through beyond what `rate` units a millisecond give back, over any span of time. */
function mostAtOnce(passed: readonly { weight: number; at: number }[], rate: number): number {
  let most = 0;
  for (const { at: from } of passed) {
    for (const { at: to } of passed.filter(({ at }) => at >= from)) {
      const inside = passed.filter(({ at }) => at >= from && at <= to);
      most = Math.max(most, inside.reduce((sum, { weight }) => sum + weight, 0) - rate * (to - from));
    }
  }
  return most;
}

describe("Limiter.acquire() over a shared store whose rates are replaced while it is being asked", () => {
  test.each<[ReplaceStrategy, number]>([
    ["reset", 10],
    ["keep", 10],
    ["proportional", 10],
  ])("by %s: lets through at once what the new rates hold, and no more", async (strategy, most) => {
    const { store, passed, join } = open("100/h");
    for (let i = 0; i < 200; i++) void join(`${i}`);
    store.replaceRates("10/h", strategy);
    await settle();
    expect([passed.length, store.count("ada")]).toEqual([most, 200]);
  });

  test("a waiter that leaves meanwhile takes nothing from those that book anew", async () => {
    const { store, passed, join } = open("10/h");
    const controller = new AbortController();
    for (let i = 0; i < 10; i++) void join(`leaves ${i}`, 1, controller.signal);
    for (let i = 0; i < 20; i++) void join(`stays ${i}`);
    controller.abort();
    store.replaceRates("5/h", "reset");
    await settle();
    expect([passed.length, store.count("ada")]).toEqual([5, 20]);
  });

  test("several replacements in a row count together", async () => {
    const { store, passed, join, advance } = open("100/h", slidingWindowLog);
    for (let i = 0; i < 20; i++) void join(`${i}`);
    store.replaceRates("50/h", "proportional");
    store.replaceRates("10/h", "reset");
    store.replaceRates("5/h", "proportional");
    await settle();
    expect([passed.length, store.count("ada")]).toEqual([5, 20]);
    await advance(HOUR, 3);
    expect(passed.map(({ name }) => name)).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`));
  });
});

describe("Limiter.acquire() over a shared store is first in, first out for a key", () => {
  test.each([tokenBucket, slidingWindowLog])(
    "also among those who are due at the same instant, by $name",
    async (algorithm) => {
      const { join, names, advance } = open("8/s", algorithm);
      for (let i = 0; i < 40; i++) void join(`${i}`);
      await advance(1000, 5);
      expect(names()).toEqual(Array.from({ length: 40 }, (_, i) => `${i}`));
    },
  );

  test("also where an answer comes late", async () => {
    const clock = new ManualClock();
    const store = new InMemoryBucket("10/s", { algorithm: tokenBucket, clock });
    const bucket = toAsync(store);
    const reserve = bucket.reserve.bind(bucket);
    const late: (() => void)[] = [];
    bucket.reserve = async (item: RateItem, maxWait?: number) => {
      const booking = await reserve(item, maxWait);
      if (late.length < 2) await new Promise<void>((resolve) => late.push(resolve));
      return booking;
    };
    const limiter = new Limiter(bucket);
    store.charge({ key: "ada", weight: 10 });
    const order: string[] = [];
    for (const name of ["a", "b", "c"]) void limiter.acquire("ada").then(() => order.push(`${name} at ${clock.now()}`));
    await settle();
    clock.advance(250);
    late[1]?.();
    await settle();
    late[0]?.();
    await settle();
    expect(order).toEqual([]);
    clock.advance(100);
    await settle();
    clock.advance(100);
    await settle();
    expect(order).toEqual(["a at 350", "b at 450", "c at 450"]);
  });
});

describe("Limiter.acquire() over a shared store: when somebody leaves", () => {
  test("those behind move up, and newcomers come after them", async () => {
    const { store, passed, join, advance, names } = open("10/s");
    const controller = new AbortController();
    store.charge({ key: "ada", weight: 10 });
    for (let i = 0; i < 5; i++) void join(`leaves ${i}`, 10, controller.signal);
    for (let i = 0; i < 5; i++) void join(`stays ${i}`, 10);
    await settle();
    controller.abort();
    for (let i = 0; i < 5; i++) void join(`comes ${i}`, 10);
    await advance(1000, 10);
    expect(names()).toEqual([0, 1, 2, 3, 4].map((i) => `stays ${i}`).concat([0, 1, 2, 3, 4].map((i) => `comes ${i}`)));
    expect(passed.map(({ at }) => at)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((second) => second * 1000));
  });

  test("many that leave at once cost one cancel each, and nobody books anew for the same weight", async () => {
    const { store, asked, join, advance, passed } = open("10/s");
    const controllers = Array.from({ length: 100 }, () => new AbortController());
    store.charge({ key: "ada", weight: 10 });
    controllers.forEach((controller, i) => void join(`${i}`, 1, i % 2 === 0 ? controller.signal : undefined));
    await settle();
    asked.length = 0;
    for (const controller of controllers) controller.abort();
    await settle();
    expect(asked).toEqual(Array(50).fill("cancel"));
    await advance(100, 50);
    expect(passed.map(({ at }) => at)).toEqual(Array.from({ length: 50 }, (_, i) => 100 * (i + 1)));
  });

  test("many of different weights that leave at once cost two operations a waiter at most", async () => {
    const { store, asked, join } = open("10/s");
    const controllers = Array.from({ length: 100 }, () => new AbortController());
    store.charge({ key: "ada", weight: 10 });
    controllers.forEach((controller, i) => void join(`${i}`, 1 + (i % 3), i % 2 === 0 ? controller.signal : undefined));
    await settle();
    asked.length = 0;
    for (const controller of controllers) controller.abort();
    await settle();
    expect(asked.length).toBeLessThanOrEqual(150);
  });

  test("those of another process keep their places", async () => {
    const { clock, store, join, advance, passed } = open("1/s");
    const other = new Limiter(toAsync(store));
    const controller = new AbortController();
    store.charge({ key: "ada", weight: 1 });
    const theirs: number[] = [];
    for (let i = 0; i < 3; i++) {
      void join(`${i}`, 1, i === 0 ? controller.signal : undefined);
      void other.acquire("ada").then(() => theirs.push(clock.now()));
    }
    await settle();
    controller.abort();
    await advance(1000, 6);
    expect([passed.map(({ at }) => at), theirs]).toEqual([
      [1000, 3000],
      [2000, 4000, 6000],
    ]);
  });

  test("the bucket's bound holds whoever leaves, and all are served in order", async () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ join: fc.integer({ min: 1, max: 4 }) }) },
      { weight: 2, arbitrary: fc.record({ leave: fc.nat(30) }) },
      { weight: 1, arbitrary: fc.record({ advance: fc.integer({ min: 1, max: 5 }) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, hasty) => {
        const { limiter, store, passed, join, advance, clock } = open("4/s");
        const controllers: AbortController[] = [];
        for (const each of steps) {
          if ("advance" in each) await advance(250, each.advance);
          else if ("leave" in each) controllers[each.leave]?.abort();
          else {
            const controller = new AbortController();
            void join(String(controllers.push(controller)), each.join, controller.signal);
          }
          if (!hasty) await settle();
        }
        await advance(250, 200);
        expect(limiter.waiting).toBe(0);
        expect(mostAtOnce(passed, 4 / 1000)).toBeLessThanOrEqual(4);
        expect(passed.map(({ name }) => Number(name))).toEqual(
          passed.map(({ name }) => Number(name)).sort((a, b) => a - b),
        );
        expect([store.count("ada"), clock.pending]).toEqual([0, 0]);
      }),
      { numRuns: 150 },
    );
  });
});

describe("Limiter.acquire() across a wire", () => {
  test("what waiters give back and book anew rides in one trip", async () => {
    const clock = new ManualClock();
    const store = new MapRemoteBucket("10/s", { algorithm: tokenBucket, clock }, clock);
    const limiter = new Limiter(store);
    await store.charge({ key: "ada", weight: 10 });
    const controller = new AbortController();
    limiter.acquire("ada", { weight: 2, signal: controller.signal }).catch(() => {});
    const waits = [3, 4].map((weight) => limiter.acquire("ada", { weight }));
    await settle();
    store.trips.length = 0;
    controller.abort();
    await settle();
    expect(store.trips.length).toBe(1);
    for (let i = 0; i < 7; i++) {
      clock.advance(100);
      await settle();
    }
    await Promise.all(waits);
    expect(clock.now()).toBe(700);
    await limiter.close();
  });
});
