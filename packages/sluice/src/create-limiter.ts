import { type FactoryOptions, Limiter, type LimiterOptions, type RatesLike, SingleBucketFactory } from "@sluice/core";
import { InMemoryBucket, type InMemoryBucketOptions } from "@sluice/memory";

/** What {@link createLimiter} can be told: all that its bucket, its limiter and its sweeps can. */
export interface CreateLimiterOptions extends InMemoryBucketOptions, LimiterOptions, FactoryOptions {}

/**
 * A limiter in the memory of this process, in one line: it answers at once.
 *
 * @param rates One rate or several, such as `"100/min"` or `["10/s", "100/min"]`.
 * @throws RangeError or TypeError for rates that cannot be.
 *
 * @example
 * ```ts
 * import { createLimiter } from "sluice";
 *
 * const limiter = createLimiter("100/min");
 * limiter.tryAcquire("ada"); // => true
 * limiter.consume("ada").remaining; // => 98
 * ```
 */
export function createLimiter(rates: RatesLike, options: CreateLimiterOptions = {}): Limiter<"sync"> {
  return new Limiter(new SingleBucketFactory(new InMemoryBucket(rates, options), options), options);
}
