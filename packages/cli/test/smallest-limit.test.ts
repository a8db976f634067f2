import {
  type Algorithm,
  fixedWindow,
  leakyBucket,
  ManualClock,
  Rate,
  slidingWindowCounter,
  slidingWindowLog,
  tokenBucket,
} from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ceilOfProduct, compareProducts } from "../src/replay/smallest-limit/exact.js";
import { keyLimits } from "../src/replay/smallest-limit/key-limits.js";
import { smallestLimits } from "../src/replay/smallest-limit/refused-share.js";
import { RunLengthLog } from "../src/replay/smallest-limit/run-length-log.js";

const US = 0.001;

/** Whether a bucket with this limit refuses any request at these times (microseconds). */
function refuses(algorithm: Algorithm, rate: Rate, times: readonly number[]): boolean {
  const bucket = new InMemoryBucket(rate, { algorithm, clock: new ManualClock() });
  return times.some((time) => !bucket.put({ key: "a", timestamp: time * US }).allowed);
}

function smallest(algorithm: Algorithm, interval: number, times: readonly number[], burst?: number): number {
  const found = keyLimits(algorithm, { rate: new Rate(1, interval, burst), burst });
  for (const time of times) found.add(0, time);
  return found.limits(1)[0] as number;
}

/** Times in order, from crowds in one instant to long silences, around an interval of 1 ms. */
const times = fc
  .array(fc.oneof(fc.constant(0), fc.nat(9), fc.nat(400), fc.constantFrom(999, 1000, 1001), fc.nat(3000)), {
    minLength: 1,
    maxLength: 60,
  })
  .chain((gaps) => fc.nat(5000).map((start) => gaps.map((gap) => (start += gap))));

const intervals = fc.constantFrom(1, 0.007, 0.1, 0.997);
const runs = { numRuns: 1000 };

describe.each([slidingWindowLog, slidingWindowCounter, fixedWindow, tokenBucket, leakyBucket])(
  "keyLimits() of $name",
  (algorithm) => {
    test("refuses nothing at the limit found, and something at one less", () => {
      fc.assert(
        fc.property(times, intervals, (times, interval) => {
          const limit = smallest(algorithm, interval, times);
          expect(refuses(algorithm, new Rate(limit, interval), times)).toBe(false);
          if (limit > 1) expect(refuses(algorithm, new Rate(limit - 1, interval), times)).toBe(true);
        }),
        runs,
      );
    });

    test("keeps keys apart, whatever the order of their numbers", () => {
      const found = keyLimits(algorithm, { rate: new Rate(1, 1000), burst: undefined });
      for (const key of [5000, 0, 5000, 70, 5000]) found.add(key, 1_000_000);
      const limits = found.limits(5001);
      expect([limits[0], limits[70], limits[5000]]).toEqual([1, 1, 3]);
    });

    test("is exact over days of a busy key", () => {
      const day = 86_400_000;
      const start = 1_715_947_200_000_000;
      const times = Array.from({ length: 20_000 }, (_, i) => start + i * 31_000_000 + ((i * i) % 20_011) * 977);
      times.sort((a, b) => a - b);
      const limit = smallest(algorithm, day, times);
      expect(refuses(algorithm, new Rate(limit, day), times)).toBe(false);
      expect(refuses(algorithm, new Rate(limit - 1, day), times)).toBe(true);
    });
  },
);

describe.each([tokenBucket, leakyBucket])("keyLimits() of $name with a burst of its own", (algorithm) => {
  test("refuses nothing at the limit found, and something at one less", () => {
    fc.assert(
      fc.property(times, intervals, fc.integer({ min: 1, max: 12 }), (times, interval, burst) => {
        const limit = smallest(algorithm, interval, times, burst);
        fc.pre(Number.isFinite(limit));
        expect(refuses(algorithm, new Rate(limit, interval, burst), times)).toBe(false);
        if (limit > 1) expect(refuses(algorithm, new Rate(limit - 1, interval, burst), times)).toBe(true);
      }),
      runs,
    );
  });

  test("finds no limit if and only if more than the burst comes at one instant", () => {
    fc.assert(
      fc.property(times, fc.integer({ min: 1, max: 6 }), (times, burst) => {
        const most = Math.max(...times.map((time) => times.filter((other) => other === time).length));
        expect(smallest(algorithm, 1, times, burst) === Number.POSITIVE_INFINITY).toBe(most > burst);
      }),
      runs,
    );
  });
});

describe("smallestLimits()", () => {
  test("spares 1 % and 0.1 % of the keys, rounded down", () => {
    const limits = Float64Array.from({ length: 1999 }, (_, i) => i + 1);
    expect(smallestLimits(limits)).toEqual({
      refusingNobody: 1999,
      refusingOnePercent: 1980,
      refusingOnePerMille: 1998,
    });
  });

  test("spares no key of fewer than a hundred", () => {
    const limits = Float64Array.from({ length: 99 }, (_, i) => 99 - i);
    expect(smallestLimits(limits)).toEqual({ refusingNobody: 99, refusingOnePercent: 99, refusingOnePerMille: 99 });
  });

  test("a key that no limit would do for can be spared, too", () => {
    const limits = new Float64Array(100).fill(3);
    limits[7] = Number.POSITIVE_INFINITY;
    expect(smallestLimits(limits)).toEqual({
      refusingNobody: Number.POSITIVE_INFINITY,
      refusingOnePercent: 3,
      refusingOnePerMille: Number.POSITIVE_INFINITY,
    });
  });
});

describe("RunLengthLog", () => {
  test("holds one entry an instant", () => {
    const log = new RunLengthLog();
    for (const time of [1, 1, 1, 2, 2]) log.append(time, 1);
    expect([log.size, log.total(0), log.total(1)]).toEqual([2, 3, 5]);
  });

  test("takes units back from the newest entries", () => {
    const log = new RunLengthLog();
    for (const time of [1, 1, 2, 3, 3]) log.append(time, 1);
    log.dropOldest(1);
    log.dropNewest(2);
    expect([log.size, log.time(0), log.total(0)]).toEqual([1, 2, 1]);
    log.append(4, 5);
    log.dropNewest(2);
    expect([log.size, log.total(1)]).toEqual([2, 4]);
  });
});

describe("exact arithmetic", () => {
  const whole = fc.oneof(fc.maxSafeNat(), fc.nat(1000));

  test("compareProducts() orders products that no double can hold", () => {
    fc.assert(
      fc.property(whole, whole, fc.integer({ min: -2, max: 2 }), (a, b, step) => {
        const near = Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, a + step));
        const expected = BigInt(a) * BigInt(b) - BigInt(near) * BigInt(b);
        expect(Math.sign(compareProducts(a, b, near, b))).toBe(Number(expected > 0n) - Number(expected < 0n));
      }),
    );
    // Both products round to the same double.
    expect(compareProducts(94_906_267, 94_906_267, 94_906_266, 94_906_268)).toBe(1);
  });

  test("ceilOfProduct() rounds up products that no double can hold", () => {
    const positive = fc.oneof(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), fc.integer({ min: 1, max: 1000 }));
    fc.assert(
      fc.property(positive, positive, positive, (a, b, c) => {
        const [small, large] = b < c ? [b, c] : [c, b];
        const expected = (BigInt(a) * BigInt(small) + BigInt(large) - 1n) / BigInt(large);
        expect(ceilOfProduct(a, small, large)).toBe(Number(expected));
      }),
    );
  });
});
