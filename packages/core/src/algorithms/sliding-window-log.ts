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
import { type CarryStrategy, predecessorOf, scaleUp } from "../replace/strategy.js";
import { ArrayLog } from "./array-log.js";
import { type Algorithm, type Kernel, type Log, refuseBursts, type State } from "./kernel.js";

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
  readonly books = true;
  readonly rule = "sliding-window-log";
  readonly rates: readonly Rate[];
  readonly #intervals: readonly number[];
  readonly #limits: readonly number[];
  readonly #longest: number;

  constructor(rates: readonly Rate[]) {
    this.rates = rates;
    this.#intervals = rates.map(({ interval }) => toMicroseconds(interval));
    this.#limits = rates.map(({ limit }) => limit);
    this.#longest = this.#intervals[rates.length - 1] as number;
  }

  fresh(): Log {
    return new ArrayLog();
  }

  parameters(rate: number): readonly number[] {
    return [this.#limits[rate] as number, this.#intervals[rate] as number];
  }

  capacity(rate: number): number {
    return this.#limits[rate] as number;
  }

  fits(log: Log, now: number, weight: number, rate: number): boolean {
    return weight <= this.left(log, now, rate);
  }

  wait(log: Log, now: number, weight: number, rate: number): number {
    if (weight > this.capacity(rate)) return Number.POSITIVE_INFINITY;
    const interval = this.#intervals[rate] as number;
    const gone = log.total(firstInView(log, instant(log, now) - interval) - 1);
    const excess = weight - this.left(log, now, rate);
    return Math.ceil(log.time(firstWithTotal(log, gone + excess))) + interval - now;
  }

  left(log: Log, now: number, rate: number): number {
    const size = log.size;
    const first = firstInView(log, instant(log, now) - (this.#intervals[rate] as number));
    return this.capacity(rate) - (log.total(size - 1) - log.total(first - 1));
  }

  reset(log: Log, now: number, weight: number): number {
    if (weight > 0) return Math.ceil(entryTime(log, now)) + this.#longest - now;
    return log.size === 0 ? 0 : Math.max(0, Math.ceil(log.time(log.size - 1)) + this.#longest - now);
  }

  admit(log: Log, now: number, weight: number): boolean {
    const at = instant(log, now);
    const newest = log.total(log.size - 1);
    let first = 0;
    for (let rate = 0; rate < this.#limits.length; rate++) {
      first = firstInView(log, at - (this.#intervals[rate] as number));
      if (newest - log.total(first - 1) + weight > (this.#limits[rate] as number)) return false;
    }
    const time = entryTime(log, now);
    log.dropOldest(first);
    log.append(time, weight);
    return true;
  }

  take(log: Log, now: number, weight: number): void {
    const time = entryTime(log, now);
    log.dropOldest(firstInView(log, instant(log, now) - this.#longest));
    log.append(time, weight);
  }

  ahead(log: Log, now: number): number {
    return Math.max(0, Math.ceil(entryTime(log, now)) - instant(log, now));
  }

  book(log: Log, now: number, weight: number, at: number): number {
    log.dropOldest(firstInView(log, instant(log, now) - this.#longest));
    log.append(at > now ? at - BOOKED : entryTime(log, now), weight);
    // An entry is found by its time.
    return 0;
  }

  unbook(log: Log, now: number, weight: number, at: number): void {
    if (at + this.#longest <= instant(log, now)) return;
    // The entry lies at its time, or later where it had to come after another.
    const first = firstInView(log, at - 2 * BOOKED);
    for (let units = weight; units > 0 && first < log.size; ) {
      const part = Math.min(units, log.total(first) - log.total(first - 1));
      log.subtract(first, part);
      units -= part;
    }
  }

  give(log: Log, now: number, weight: number): void {
    log.dropOldest(firstInView(log, instant(log, now) - this.#longest));
    log.dropNewest(weight);
  }

  inherit(older: Kernel, state: State, now: number, strategy: CarryStrategy): Log {
    const log = state as Log;
    // An entry has one weight for all rates: the longest, of which the most entries are in view, says how it changes.
    const last = this.rates.length - 1;
    const place = predecessorOf(this.rates[last] as Rate, older.rates);
    const [limit, olderLimit] = strategy === "keep" ? [1, 1] : [this.capacity(last), older.capacity(place)];
    const longest = Math.min(this.#longest, toMicroseconds((older.rates[older.rates.length - 1] as Rate).interval));
    const first = firstInView(log, instant(log, now) - longest);
    const heir = this.fresh();
    for (let i = first, total = 0; i < log.size; i++) {
      const next = scaleUp(log.total(i) - log.total(first - 1), limit, olderLimit);
      if (next > total) heir.append(log.time(i), next - total);
      total = next;
    }
    return heir;
  }

  merge(log: Log, part: Log): void {
    const entries = [...entriesOf(log), ...entriesOf(part)].sort((a, b) => a.time - b.time);
    log.dropOldest(log.size);
    for (const { time, weight } of entries) log.append(time, weight);
  }

  unmerge(log: Log, part: Log): void {
    for (const { time, weight } of entriesOf(part)) {
      // Times are whole, or half as much more where they were booked.
      const at = firstInView(log, time - BOOKED / 2);
      for (let units = weight; units > 0 && at < log.size && log.time(at) === time; ) {
        const taken = Math.min(units, log.total(at) - log.total(at - 1));
        log.subtract(at, taken);
        units -= taken;
      }
    }
  }
}

interface LogEntry {
  readonly time: number;
  readonly weight: number;
}

function entriesOf(log: Log): LogEntry[] {
  return Array.from({ length: log.size }, (_, i) => ({
    time: log.time(i),
    weight: log.total(i) - log.total(i - 1),
  }));
}

/**
 * An entry that is booked ahead lies half a microsecond before its time: it is in view of
 * the same whole microseconds, and yet can be told from one that was made then.
 */
const BOOKED = 0.5;

/** When an item at `now` counts as made: never before the newest entry, save where that is booked for later. */
function instant(log: Log, now: number): number {
  if (log.size === 0) return now;
  const newest = log.time(log.size - 1);
  return newest > now && Number.isInteger(newest) ? newest : now;
}

/** The time of an entry for an item at `now`: entries never go back in time, past those booked for later neither. */
function entryTime(log: Log, now: number): number {
  return log.size === 0 ? now : Math.max(now, log.time(log.size - 1));
}

/** The first entry later than `edge`: windows are half-open, so one at the edge itself no longer counts. */
function firstInView(log: Log, edge: number): number {
  // Nearly always nothing has left the view since the last look.
  if (log.size === 0 || log.time(0) > edge) return 0;
  // And else but a few: from the oldest on in growing steps, then halving, so that a store reads little of a long log.
  let low = 1;
  let high = 2;
  while (high < log.size && log.time(high - 1) <= edge) {
    low = high;
    high *= 2;
  }
  high = Math.min(high, log.size);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (log.time(middle) > edge) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The first entry up to which there are `total` units. */
function firstWithTotal(log: Log, total: number): number {
  let low = 0;
  let high = log.size - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (log.total(middle) >= total) high = middle;
    else low = middle + 1;
  }
  return low;
}
