import type { Algorithm } from "./algorithms/kernel.js";
import { slidingWindowLog } from "./algorithms/sliding-window-log.js";
import type { AbstractClock } from "./clock/abstract-clock.js";
import { MonotonicClock } from "./clock/monotonic-clock.js";
import type { Mode } from "./mode.js";
import { describe } from "./rate.js";

/** What every bucket can be told. */
export interface BucketOptions {
  /** What decides; {@link slidingWindowLog} when left out. */
  readonly algorithm?: Algorithm;
  /** Where the time comes from; the store's own clock, or a {@link MonotonicClock}, when left out. */
  readonly clock?: AbstractClock<Mode>;
}

/** Fills in what was left out, and checks what was not. */
export function checkBucketOptions({ algorithm = slidingWindowLog, clock = new MonotonicClock() }: BucketOptions): {
  algorithm: Algorithm;
  clock: AbstractClock<Mode>;
} {
  return { algorithm: checkAlgorithm(algorithm), clock: checkClock(clock) };
}

function checkAlgorithm(algorithm: Algorithm): Algorithm {
  if (typeof algorithm === "object" && typeof algorithm?.compile === "function") return algorithm;
  const hint = "an algorithm is a value such as tokenBucket, imported from @sluice/core";
  throw new TypeError(`Cannot decide by ${describe(algorithm)}: ${hint}, and not its name.`);
}

function checkClock<M extends Mode>(clock: AbstractClock<M>): AbstractClock<M> {
  const parts = [clock?.now, clock?.elapsed, clock?.schedule];
  if (parts.every((part) => typeof part === "function")) return clock;
  throw new TypeError(`Cannot take the time from ${describe(clock)}: extend AbstractClock, or leave it out.`);
}
