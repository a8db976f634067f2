/**
 * Rates and bursts, as they are given on the command line and in files.
 *
 * @module
 */
import { type Algorithm, leakyBucket, Rate, tokenBucket, validateRates } from "@sluice/core";
import type { Limit } from "./replay/limit.js";
import { UsageError } from "./usage-error.js";

/**
 * Reads rates that are to hold together, the shortest interval first.
 *
 * @param burst That of each rate which names none.
 * @throws UsageError, RangeError or TypeError for rates that cannot be.
 */
export function readLimits(texts: readonly string[], burst: number | undefined, algorithm: Algorithm): Limit[] {
  const limits = texts.map((text) => readLimit(text, burst));
  const rates = validateRates(limits.map(({ rate }) => rate));
  try {
    algorithm.compile(rates);
  } catch (error) {
    if (burst === undefined) throw error;
    throw new UsageError(
      `Cannot use a burst of ${burst} with ${algorithm.name}: only ${tokenBucket.name} and ${leakyBucket.name} take a burst. Leave it out, or choose the algorithm ${tokenBucket.name}.`,
      { cause: error },
    );
  }
  return limits.sort((a, b) => a.rate.interval - b.rate.interval);
}

function readLimit(text: string, burst: number | undefined): Limit {
  const rate = Rate.parse(text);
  if (/burst/i.test(text)) return { rate, burst: rate.burst };
  return { rate: new Rate(rate.limit, rate.interval, burst ?? rate.limit), burst };
}
