import { fixedWindow, ManualClock, slidingWindowLog, tokenBucket } from "@sluice/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InMemoryBucket } from "../src/in-memory-bucket.js";

const MANY = 40_000;

describe("InMemoryBucket, maxKeys", () => {
  test("makes room by dropping the coldest key, and counts it", () => {
    const bucket = new InMemoryBucket("5/min", { maxKeys: 3, clock: new ManualClock() });
    for (const key of ["a", "b", "c"]) bucket.put({ key, weight: 5 });
    bucket.put({ key: "a" });
    bucket.tryPut("d");
    expect([bucket.size, bucket.evictions]).toEqual([3, 1]);
    // "b" is the one that was used longest ago: only it starts anew.
    expect(["a", "b", "c"].map((key) => bucket.count(key))).toEqual([5, 0, 5]);
  });

  test("drops cells that are as good as new first, which costs nobody anything", () => {
    const clock = new ManualClock();
    const bucket = new InMemoryBucket("1/s", { maxKeys: 2, clock });
    bucket.put({ key: "a" });
    clock.advance(500);
    bucket.put({ key: "b" });
    clock.advance(500);
    bucket.put({ key: "c" });
    expect([bucket.size, bucket.evictions, bucket.count("b")]).toEqual([2, 0, 1]);
  });

  test("a flood of new keys evicts itself before it evicts a key that keeps coming", () => {
    const bucket = new InMemoryBucket("100000/h", { maxKeys: 100, clock: new ManualClock() });
    for (let i = 0; i < 10_000; i++) {
      bucket.tryPut("regular");
      bucket.tryPut(`flood ${i}`);
    }
    expect(bucket.count("regular")).toBe(10_000);
    expect(bucket.evictions).toBe(10_001 - 100);
  });

  test("never holds more, and a refused newcomer takes no room", () => {
    const bucket = new InMemoryBucket("5/min", { maxKeys: 10, clock: new ManualClock() });
    for (let i = 0; i < 100; i++) bucket.put({ key: `${i}`, weight: 6 });
    for (let i = 0; i < 100; i++) bucket.tryPut(`${i}`, 6);
    for (let i = 0; i < 100; i++) bucket.peek({ key: `${i}` });
    for (let i = 0; i < 100; i++) bucket.put({ key: `${i}`, weight: 0 });
    expect(bucket.size).toBe(0);
    for (let i = 0; i < 100; i++) bucket.charge({ key: `${i}` });
    expect(bucket.size).toBe(10);
  });

  test.each([0, -1, 1.5, Number.NaN])("refuses maxKeys: %d", (maxKeys) => {
    expect(() => new InMemoryBucket("1/s", { maxKeys })).toThrow(RangeError);
  });
});

describe("InMemoryBucket, sweeps", () => {
  /** Sweeps as the leaker does, with a slice as short as can be, and calls `between` after each. */
  function sweepInSlices(bucket: InMemoryBucket, between: (slice: number) => void): number {
    let slices = 1;
    while (bucket.sweep(0)) between(slices++);
    return slices;
  }

  test.each([tokenBucket, slidingWindowLog, fixedWindow])(
    "changes no decision, however it falls between puts: %o",
    (algorithm) => {
      const clock = new ManualClock();
      const swept = new InMemoryBucket("3/s", { clock, algorithm });
      const still = new InMemoryBucket("3/s", { clock, algorithm });
      let state = 7;
      const random = (below: number) => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state % below;
      };
      const both = (key: string) => {
        const item = { key, weight: 1 + random(3) };
        expect(swept.put(item)).toEqual(still.put(item));
      };
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < MANY; i++) both(`key ${random(3 * MANY)}`);
        clock.advance(round === 0 ? 600 : 990);
        sweepInSlices(swept, () => both(`key ${random(3 * MANY)}`));
        for (let i = 0; i < 1000; i++) both(`key ${random(3 * MANY)}`);
        clock.advance(300);
      }
      clock.advance(5000);
      sweepInSlices(swept, () => {});
      sweepInSlices(swept, () => {});
      expect(swept.size).toBe(0);
      expect(still.size).toBeGreaterThan(MANY);
    },
  );

  test("keeps what was used while it ran, flushed and evicted keys aside", () => {
    const clock = new ManualClock();
    const bucket = new InMemoryBucket("3/s", { clock });
    for (let i = 0; i < MANY; i++) bucket.put({ key: `${i}` });
    clock.advance(1000);
    expect(bucket.sweep(0)).toBe(true);
    // Passed already, as good as new, and used again before the sweep ends.
    bucket.put({ key: "0", weight: 3 });
    bucket.put({ key: "1", weight: 3 });
    bucket.flush("1");
    bucket.put({ key: "newcomer", weight: 2 });
    while (bucket.sweep(0));
    expect(bucket.size).toBe(2);
    expect(["0", "1", "newcomer"].map((key) => bucket.count(key))).toEqual([3, 0, 2]);
    bucket.flush();
    expect([bucket.size, bucket.sweep(1)]).toEqual([0, false]);
  });

  test("drops what is as good as new in a large table of which most stays", () => {
    const clock = new ManualClock();
    const bucket = new InMemoryBucket("3/s", { clock });
    for (let i = 0; i < 20_000; i++) bucket.put({ key: `old ${i}` });
    clock.advance(500);
    for (let i = 0; i < 60_000; i++) bucket.put({ key: `young ${i}` });
    clock.advance(500);
    expect(bucket.leak()).toBe(20_000);
    expect(bucket.size).toBe(60_000);
    clock.advance(500);
    expect(bucket.leak()).toBe(60_000);
  });
});

describe("InMemoryBucket.leak()", () => {
  test("looks at every cell, whatever a sweep under way has seen", () => {
    const clock = new ManualClock();
    const bucket = new InMemoryBucket("3/s", { clock });
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 2 * MANY; i++) bucket.put({ key: `${round} ${i}` });
      for (let slice = 0; slice < 40 * round; slice++) bucket.sweep(0);
      clock.advance(1000);
      bucket.sweep(0);
      for (let i = 0; i < MANY; i++) bucket.put({ key: `stays ${i}` });
      bucket.leak();
      expect(bucket.size).toBe(MANY);
      clock.advance(1000);
    }
  });
});

describe("InMemoryBucket, the log", () => {
  test("counts right however many units have passed", () => {
    const clock = new ManualClock();
    const bucket = new InMemoryBucket(`${2 ** 50}/s`, { clock });
    for (let i = 0; i < 99; i++) {
      bucket.put({ key: "ada", weight: 2 ** 50 });
      clock.advance(1000);
    }
    for (let units = 1; units <= 3; units++) {
      bucket.put({ key: "ada" });
      expect(bucket.count("ada")).toBe(units);
    }
  });

  test("keeps logs of any length apart", () => {
    const puts = fc.array(fc.record({ key: fc.nat(4), gap: fc.nat(30), weight: fc.integer({ min: 1, max: 3 }) }), {
      maxLength: 300,
      size: "max",
    });
    fc.assert(
      fc.property(puts, (list) => {
        const clock = new ManualClock();
        const bucket = new InMemoryBucket("40/s", { clock });
        const model = new Map<string, { timestamp: number; weight: number }[]>();
        for (const { key, gap, weight } of list) {
          clock.advance(gap);
          const items = (model.get(`${key}`) ?? []).filter(({ timestamp }) => timestamp + 1000 > clock.now());
          const total = items.reduce((sum, item) => sum + item.weight, 0);
          const allowed = total + weight <= 40;
          if (allowed) items.unshift({ weight, timestamp: clock.now() });
          model.set(`${key}`, items);
          expect(bucket.tryPut(`${key}`, weight)).toBe(allowed);
          if (gap % 7 === 0) bucket.leak();
          expect(bucket.items(`${key}`)).toEqual(items.map((item) => ({ key: `${key}`, ...item })));
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe("InMemoryBucket.replaceRates()", () => {
  test.each([tokenBucket, slidingWindowLog])(
    "lets go of what lies under old rates when their time is over: $name",
    (algorithm) => {
      const clock = new ManualClock();
      const bucket = new InMemoryBucket("10/s", { algorithm, clock });
      for (let i = 0; i < 100; i++) bucket.put({ key: `${i}`, weight: 5 });
      bucket.replaceRates("20/s", "keep");
      for (let i = 0; i < 40; i++) expect(bucket.put({ key: `${i}` }).remaining).toBe(14);
      expect(bucket.size).toBe(100);
      clock.advance(1999);
      bucket.tryPut("0");
      expect(bucket.size).toBe(100);
      clock.advance(1);
      expect(bucket.size).toBe(40);
      expect([bucket.leak(), bucket.size]).toEqual([39, 1]);
    },
  );

  test("counts evictions of old and new cells, and drops the old ones at once after a reset", () => {
    const clock = new ManualClock();
    const bucket = new InMemoryBucket("10/s", { maxKeys: 3, clock });
    for (let i = 0; i < 5; i++) bucket.put({ key: `${i}` });
    bucket.replaceRates("20/s", "reset");
    expect([bucket.size, bucket.evictions]).toEqual([0, 2]);
    for (let i = 0; i < 5; i++) bucket.put({ key: `${i}` });
    expect([bucket.size, bucket.evictions]).toEqual([3, 4]);
  });

  test("sweeps what lies under old rates", () => {
    const clock = new ManualClock();
    const bucket = new InMemoryBucket("10/s", { clock });
    for (let i = 0; i < 100; i++) bucket.tryPut(`${i}`);
    bucket.replaceRates("20/s", "keep");
    clock.advance(1000);
    while (bucket.sweep(1));
    expect(bucket.size).toBe(0);
  });
});

describe("InMemoryBucket: bookings", () => {
  test("are given back after cells were moved, since most others are gone", () => {
    const clock = new ManualClock();
    const bucket = new InMemoryBucket("10/s", { algorithm: tokenBucket, clock });
    for (let i = 0; i < 200; i++) bucket.put({ key: `key ${i}` });
    const booking = bucket.reserve({ key: "ada", weight: 8 });
    clock.advance(200);
    expect(bucket.leak()).toBe(200);
    bucket.cancel({ key: "ada", weight: 5 }, booking);
    expect(bucket.count("ada")).toBe(1);
  });

  test("of a key that is gone are not those of the next that takes its place", () => {
    const bucket = new InMemoryBucket("10/s", { algorithm: tokenBucket, clock: new ManualClock() });
    const booking = bucket.reserve({ key: "ada", weight: 8 });
    bucket.flush("ada");
    bucket.put({ key: "bob", weight: 6 });
    bucket.cancel({ key: "bob", weight: 5 }, booking);
    expect(bucket.count("bob")).toBe(6);
  });
});
