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

interface Wrong {
  readonly Bucket: BucketClass;
  /** A law that names what is wrong. */
  readonly law: RegExp;
  /** Algorithms under which other laws catch it. */
  readonly elsewhere?: readonly string[];
}

const WRONG: readonly Wrong[] = [
  {
    Bucket: wrong.OffByOneBucket,
    law: /an item counts to the last microsecond|refills one unit per/,
    elsewhere: ["sliding-window-counter"],
  },
  { Bucket: wrong.ChargingRefusalBucket, law: /a refusal changes nothing/ },
  { Bucket: wrong.SharedCellBucket, law: /no two keys share a cell/ },
  { Bucket: wrong.CollatingBucket, law: /no two keys share a cell/ },
  { Bucket: wrong.MintingBucket, law: /a clock that steps back mints nothing/ },
  { Bucket: wrong.PiecemealBucket, law: /what one rate refuses is not taken from the others/ },
  { Bucket: wrong.RoundingBucket, law: /retryAfter is exact/ },
  { Bucket: wrong.TakingPeekBucket, law: /peek and waiting answer as put would and change nothing/ },
  { Bucket: wrong.HastyLeakBucket, law: /leak drops the cells that are as good as new/ },
  { Bucket: wrong.OverfullBucket, law: /refund undoes a put/ },
  { Bucket: wrong.RacingBucket, law: /100 callers at once/ },
];

describe("bucketSuite() catches", () => {
  for (const algorithm of ALGORITHMS) {
    test.each(WRONG)(`$Bucket.name under ${algorithm.name}`, async ({ Bucket, law, elsewhere = [] }) => {
      const broken = await brokenLaws(Bucket, algorithm);
      if (elsewhere.includes(algorithm.name)) expect(broken).not.toEqual([]);
      else expect(broken).toContainEqual(expect.stringMatching(law));
    });

    test(`nothing wrong in the right bucket under ${algorithm.name}`, async () => {
      expect(await brokenLaws(wrong.RightBucket, algorithm)).toEqual([]);
    });
  }
});
