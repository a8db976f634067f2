import { ALGORITHMS, bucketSuite } from "@sluice/conformance";
import type { AbstractBucket, Algorithm, BucketOptions, Mode, RatesLike } from "@sluice/core";
import { describe, expect, test } from "vitest";
import * as wrong from "./wrong-buckets.js";

type BucketClass = new (rates: RatesLike, options: BucketOptions) => AbstractBucket<Mode>;

/** The laws, by name, that a bucket breaks under one algorithm. */
async function brokenLaws(Bucket: BucketClass, algorithm: Algorithm): Promise<string[]> {
  const broken: string[] = [];
  const running: (() => Promise<void>)[] = [];
  bucketSuite({
    test: (name, run) => {
      running.push(() => run().catch(() => void broken.push(name.slice(algorithm.name.length + 2))));
    },
    factory: (rates, options) => new Bucket(rates, options),
    supports: { algorithms: [algorithm] },
    runs: 20,
  });
  for (const run of running) await run();
  return broken;
}

// The bucket, and a law that names what is wrong with it.
const WRONG: readonly (readonly [Bucket: BucketClass, law: RegExp, elsewhere?: readonly string[]])[] = [
  [wrong.OffByOneBucket, /an item counts to the last microsecond|refills one unit per/, ["sliding-window-counter"]],
  [wrong.ChargingRefusalBucket, /a refusal changes nothing/],
  [wrong.SharedCellBucket, /no two keys share a cell/],
  [wrong.CollatingBucket, /no two keys share a cell/],
  [wrong.MintingBucket, /a clock that steps back mints nothing/],
  [wrong.PiecemealBucket, /what one rate refuses is not taken from the others/],
  [wrong.RoundingBucket, /retryAfter is exact/],
  [wrong.TakingPeekBucket, /peek and waiting answer as put would and change nothing/],
  [wrong.HastyLeakBucket, /leak drops the cells that are as good as new/],
  [wrong.OverfullBucket, /refund undoes a put/],
  [wrong.RacingBucket, /100 callers at once/],
];

describe("bucketSuite() catches", () => {
  for (const algorithm of ALGORITHMS) {
    test.each(WRONG)(`%o under ${algorithm.name}`, async (Bucket, law, elsewhere = []) => {
      const broken = await brokenLaws(Bucket, algorithm);
      if (elsewhere.includes(algorithm.name)) expect(broken).not.toEqual([]);
      else expect(broken).toContainEqual(expect.stringMatching(law));
    });

    test(`nothing wrong in the right bucket under ${algorithm.name}`, async () => {
      expect(await brokenLaws(wrong.RightBucket, algorithm)).toEqual([]);
    });
  }
});
