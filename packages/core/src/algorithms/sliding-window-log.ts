/**
 * The sliding window log: every admitted item is kept while it counts.
 *
 * The only algorithm that keeps "`limit` in any `interval`" exactly. It keeps one entry
 * an item, not a unit, with running totals, so that deciding takes a search and not a walk.
 * Decides as PyrateLimiter's buckets do.
 *
 * @module
 */
import { toMicroseconds } from "../duration.js";
import type { Rate } from "../rate.js";
import { ArrayLog } from "./array-log.js";
import { type Algorithm, type Kernel, type Log, refuseBursts } from "./kernel.js";

/**
 * Keeps "`limit` units in any `interval`" exactly, at one entry an admitted item. The default.
 *
 * @example
 * ```ts
 * import { ManualClock, slidingWindowLog } from "@sluice/core";
 * import { InMemoryBucket } from "@sluice/memory";
 *
 * const clock = new ManualClock();
 * const bucket = new InMemoryBucket("2/s", { algorithm: slidingWindowLog, clock });
 * bucket.put({ key: "ada" }).allowed; // => true
 * clock.set(300);
 * bucket.put({ key: "ada" }).allowed; // => true
 * clock.set(999);
 * bucket.put({ key: "ada" }).retryAfter; // => 1
 * ```
 */
export const slidingWindowLog: Algorithm = {
  name: "sliding-window-log",
  compile(rates) {
    refuseBursts(this.name, rates);
    return new SlidingWindowLogKernel(rates);
  },
};

class SlidingWindowLogKernel implements Kernel<Log> {
  readonly form = "log";
  readonly width = 0;
  readonly rates: readonly Rate[];
  readonly #intervals: readonly number[];
  readonly #longest: number;

  constructor(rates: readonly Rate[]) {
    this.rates = rates;
    this.#intervals = rates.map(({ interval }) => toMicroseconds(interval));
    this.#longest = this.#intervals[rates.length - 1] as number;
  }

  fresh(): Log {
    return new ArrayLog();
  }

  capacity(rate: number): number {
    return (this.rates[rate] as Rate).limit;
  }

  wait(log: Log, now: number, weight: number, rate: number): number {
    const excess = weight - this.left(log, now, rate);
    if (excess <= 0) return 0;
    if (weight > this.capacity(rate)) return Number.POSITIVE_INFINITY;
    const interval = this.#intervals[rate] as number;
    const gone = log.total(firstInView(log, instant(log, now) - interval) - 1);
    const last = firstWhere(log.size, (index) => log.total(index) - gone >= excess);
    return log.time(last) + interval - now;
  }

  left(log: Log, now: number, rate: number): number {
    const size = log.size;
    const first = firstInView(log, instant(log, now) - (this.#intervals[rate] as number));
    return this.capacity(rate) - (log.total(size - 1) - log.total(first - 1));
  }

  reset(log: Log, now: number, weight: number): number {
    const at = instant(log, now);
    if (weight > 0) return at + this.#longest - now;
    return log.size === 0 ? 0 : Math.max(0, log.time(log.size - 1) + this.#longest - now);
  }

  take(log: Log, now: number, weight: number): void {
    const at = instant(log, now);
    log.dropOldest(firstInView(log, at - this.#longest));
    log.append(at, weight);
  }

  give(log: Log, now: number, weight: number): void {
    log.dropOldest(firstInView(log, instant(log, now) - this.#longest));
    log.dropNewest(weight);
  }
}

/** When an item at `now` counts as made: never before the newest entry. */
function instant(log: Log, now: number): number {
  return log.size === 0 ? now : Math.max(now, log.time(log.size - 1));
}

/** The first entry later than `edge`: windows are half-open, so one at the edge itself no longer counts. */
function firstInView(log: Log, edge: number): number {
  // Nearly always nothing or little has left the view since the last look.
  if (log.size === 0 || log.time(0) > edge) return 0;
  return firstWhere(log.size, (index) => log.time(index) > edge);
}

/** The first index below `size` that meets a condition which, once met, stays met; `size` when none does. */
function firstWhere(size: number, meets: (index: number) => boolean): number {
  let low = 0;
  let high = size;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (meets(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
