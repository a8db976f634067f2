import { AbstractClock } from "./abstract-clock.js";

/**
 * The system's own clock, `Date.now()`: for buckets that several processes share.
 *
 * It follows corrections of the system's time, so it may step back; a bucket then
 * counts the item as made at the cell's own time.
 *
 * @example
 * ```ts
 * import { SystemClock } from "@sluice/core";
 *
 * Number.isInteger(new SystemClock().now()); // => true
 * ```
 */
export class SystemClock extends AbstractClock {
  override now(): number {
    return Date.now();
  }
}
