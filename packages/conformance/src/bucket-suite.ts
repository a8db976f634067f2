import {
  type AbstractBucket,
  ALGORITHMS,
  type Algorithm,
  ManualClock,
  type Mode,
  type Rate,
  validateRates,
} from "@sluice/core";
import type { Law, LawContext, Subject } from "./law.js";
import { LAWS } from "./laws.js";

/** What {@link bucketSuite} is told of the bucket under test. */
export interface BucketSuiteOptions {
  /** Registers one test; `test` of vitest, node:test, Jest, Deno or Bun will do. */
  readonly test: (name: string, run: () => Promise<void>) => void;
  /** Makes an empty bucket of these rates, this algorithm and this clock. Two that are open at once must not share cells. */
  readonly factory: (
    rates: readonly Rate[],
    options: { readonly algorithm: Algorithm; readonly clock: ManualClock },
  ) => AbstractBucket<Mode> | Promise<AbstractBucket<Mode>>;
  /** What the bucket can do. */
  readonly supports?: {
    /** The algorithms that it can run; all of core's when left out. */
    readonly algorithms?: readonly Algorithm[];
    /** Whether it books ahead (`reserve`), where the algorithm can; the laws of that are left out when this is. */
    readonly reserve?: boolean;
    /** Whether it can replace its rates (`replaceRates`); the laws of that are left out when this is. */
    readonly replaceRates?: boolean;
  };
  /** How many random histories each algorithm is held against the model with; 100 when left out. */
  readonly runs?: number;
}

/**
 * Registers the tests that every bucket must pass: the semantics of Sluice, one law a
 * test, for each algorithm that the bucket supports.
 *
 * @example
 * ```ts
 * import { bucketSuite } from "@sluice/conformance";
 * import { InMemoryBucket } from "@sluice/memory";
 *
 * const tests: string[] = [];
 * bucketSuite({
 *   test: (name) => tests.push(name), // with a test runner: its own `test`
 *   factory: (rates, options) => new InMemoryBucket(rates, options),
 * });
 * tests.length > 100; // => true
 * ```
 */
export function bucketSuite({ test, factory, supports = {}, runs = 100 }: BucketSuiteOptions): void {
  for (const algorithm of supports.algorithms ?? ALGORITHMS) {
    for (const law of LAWS) {
      if (law.applies?.(algorithm) === false || (law.books === true && supports.reserve !== true)) continue;
      if (law.replaces === true && supports.replaceRates !== true) continue;
      test(`${algorithm.name}: ${law.name}`, () => checkLaw(law, algorithm, factory, runs));
    }
  }
}

async function checkLaw(
  law: Law,
  algorithm: Algorithm,
  factory: BucketSuiteOptions["factory"],
  runs: number,
): Promise<void> {
  const opened: Subject[] = [];
  const open: LawContext["open"] = async (rates) => {
    const clock = new ManualClock();
    const subject = { clock, bucket: await factory(validateRates(rates), { algorithm, clock }) };
    opened.push(subject);
    return subject;
  };
  try {
    await law.check({ algorithm, runs, open });
  } finally {
    for (const { bucket } of opened) await bucket.close();
  }
}
