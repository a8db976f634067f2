/**
 * Smallest limits of the algorithms whose use of a limit does not depend on it: the log and the two windows.
 *
 * As long as nothing is refused, these count the same units whatever the limit. So every
 * request is taken under a limit that is never reached, and the most units that were ever in
 * use are the smallest limit. The kernel does the counting: it alone knows what is in use.
 *
 * @module
 */
import { type Algorithm, type Kernel, Rate } from "@sluice/core";
import type { Limit } from "../limit.js";
import { NumberPerKey } from "../per-key.js";
import type { KeyLimits } from "./key-limits.js";
import { type StatePerKey, statePerKey } from "./state-per-key.js";

const NEVER_REACHED = Number.MAX_SAFE_INTEGER;

/** Finds the most units that each key ever had in use. */
export class PeakUse implements KeyLimits {
  readonly #kernel: Kernel;
  readonly #states: StatePerKey;
  readonly #peaks = new NumberPerKey();

  constructor(algorithm: Algorithm, { rate }: Limit) {
    this.#kernel = algorithm.compile([new Rate(NEVER_REACHED, rate.interval)]);
    this.#states = statePerKey(this.#kernel);
  }

  add(key: number, time: number): void {
    const state = this.#states.get(key);
    this.#kernel.take(state, time, 1);
    const used = NEVER_REACHED - this.#kernel.left(state, time, 0);
    if (used > this.#peaks.get(key)) this.#peaks.set(key, used);
  }

  limits(count: number): Float64Array {
    return this.#peaks.first(count);
  }
}
