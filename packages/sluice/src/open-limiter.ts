import { type FactoryOptions, Limiter, type LimiterOptions, type RatesLike, SingleBucketFactory } from "@sluice/core";
import { type OpenBucketOptions, openBucket } from "./open-bucket.js";

/** What {@link openLimiter} can be told: all that its bucket, its limiter and its sweeps can. The name serves both. */
export interface OpenLimiterOptions extends OpenBucketOptions, LimiterOptions, FactoryOptions {
  /** What is limited, such as `"sign-in"`: the limiter's name in errors, and the bucket's in the store. */
  readonly name?: string;
}

/**
 * A limiter over the store that a URL names, see {@link openBucket}; `close()` ends its connection.
 *
 * @example
 * ```ts
 * import { openLimiter } from "sluice";
 *
 * // In production: process.env.LIMITS_URL, such as redis://localhost:6379
 * await using limiter = await openLimiter("memory:", "100/min", { name: "sign-in" });
 * await limiter.tryAcquire("ada"); // => true
 * (await limiter.consume("ada")).remaining; // => 98
 * ```
 */
export async function openLimiter(
  url: string,
  rates: RatesLike,
  options: OpenLimiterOptions = {},
): Promise<Limiter<"async">> {
  const bucket = await openBucket(url, rates, options);
  return new Limiter(new SingleBucketFactory(bucket, options), options);
}
