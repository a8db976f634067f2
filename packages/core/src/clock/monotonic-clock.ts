import { AbstractClock } from "./abstract-clock.js";

declare const performance: { now(): number; readonly timeOrigin: number };

// The global is a getter in Node, which costs a sixth of the call.
const source = performance;

/**
 * A clock that never steps back: milliseconds since 1970, read from the monotonic clock.
 *
 * It starts at the system's time when the process starts, and does not follow later
 * corrections of it. The default for buckets in memory.
 *
 * @example
 * ```ts
 * import { MonotonicClock } from "@sluice/core";
 *
 * const clock = new MonotonicClock();
 * const before = clock.now();
 * clock.now() >= before; // => true
 * ```
 */
export class MonotonicClock extends AbstractClock {
  readonly #origin: number = source.timeOrigin;

  override now(): number {
    return this.#origin + source.now();
  }
}
