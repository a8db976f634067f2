/**
 * The smallest limit that would have refused nothing, for each key, found in one pass.
 *
 * @module
 */
import { type Algorithm, leakyBucket, tokenBucket } from "@sluice/core";
import type { Limit } from "../limit.js";
import { PeakUse } from "./peak-use.js";
import { SteepestDemand } from "./steepest-demand.js";

/** What finds these limits, under one algorithm and one interval. */
export interface KeyLimits {
  /** Takes note of a request; times, in whole microseconds, never go back. */
  add(key: number, time: number): void;
  /** The limits of the first `count` keys; `Infinity` where every limit would have refused something. */
  limits(count: number): Float64Array;
}

/** Chooses how the limits of an algorithm are found. */
export function keyLimits(algorithm: Algorithm, limit: Limit): KeyLimits {
  const isBucket = algorithm.name === tokenBucket.name || algorithm.name === leakyBucket.name;
  return isBucket ? new SteepestDemand(limit) : new PeakUse(algorithm, limit);
}
