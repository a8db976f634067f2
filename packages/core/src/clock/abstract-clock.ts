import type { Mode, Outcome } from "../mode.js";
import { type ScheduleOptions, scheduleSystemTimer, systemElapsed } from "./system-timer.js";

/**
 * Where a bucket takes the time from, and what its waiters are woken by.
 *
 * A clock of a shared store (`AbstractClock<"async">`) answers by a promise; its
 * timers still run on this machine.
 *
 * @example
 * ```ts
 * import { AbstractClock } from "@sluice/core";
 *
 * class HalfSpeedClock extends AbstractClock {
 *   now(): number {
 *     return Date.now() / 2;
 *   }
 * }
 * new HalfSpeedClock().now() < Date.now(); // => true
 * ```
 */
export abstract class AbstractClock<M extends Mode = "sync"> {
  /** The time in milliseconds, 0 or more; fractions count to the microsecond. */
  abstract now(): Outcome<M, number>;

  /** Milliseconds on the monotonic clock that the timers run on; only differences of it mean anything. */
  elapsed(): number {
    return systemElapsed();
  }

  /**
   * Calls `callback` once, `delay` milliseconds from now and not before; any length of delay will do.
   *
   * @returns A function that takes the timer back.
   */
  schedule(delay: number, callback: () => void, options?: ScheduleOptions): () => void {
    return scheduleSystemTimer(delay, callback, options);
  }
}
