/**
 * The sliding window counter: two aligned windows stand for a sliding one.
 *
 * A cell is, for each rate, the start of the current window, the units counted in it
 * and those of the window before. The estimate is the previous count times the share
 * of it still in view, plus the current count. Known from Cloudflare's and Kong's limiters.
 *
 * @module
 */
import { toMicroseconds } from "../duration.js";
import type { Rate } from "../rate.js";
import { admitByRates, type Algorithm, type Cell, freshCell, type Kernel, refuseBursts } from "./kernel.js";

const WIDTH = 3;

/**
 * Approximates a sliding window from two counts; never twice the limit, as a fixed window
 * can, at 24 bytes a key for one rate, whatever the limit.
 *
 * @example
 * ```ts
 * import { ManualClock, slidingWindowCounter } from "@sluice/core";
 * import { InMemoryBucket } from "@sluice/memory";
 *
 * const clock = new ManualClock();
 * const bucket = new InMemoryBucket("10/s", { algorithm: slidingWindowCounter, clock });
 * bucket.put({ key: "ada", weight: 10 }).allowed; // => true
 * clock.set(1500); // half of the previous window is still in view
 * bucket.put({ key: "ada" }).remaining; // => 4
 * ```
 */
export const slidingWindowCounter: Algorithm = {
  name: "sliding-window-counter",
  compile(rates) {
    refuseBursts(this.name, rates);
    return new SlidingWindowCounterKernel(rates);
  },
};

/** The two windows of one rate as they stand at an instant. */
interface Windows {
  start: number;
  current: number;
  previous: number;
  /** Microseconds of the previous window that are still in view. */
  inView: number;
}

class SlidingWindowCounterKernel implements Kernel<Cell> {
  readonly form = "cell";
  readonly width: number;
  readonly rates: readonly Rate[];
  readonly #intervals: readonly number[];
  readonly #windows: Windows = { start: 0, current: 0, previous: 0, inView: 0 };

  constructor(rates: readonly Rate[]) {
    this.rates = rates;
    this.width = WIDTH * rates.length;
    this.#intervals = rates.map(({ interval }) => toMicroseconds(interval));
  }

  fresh(): Cell {
    return freshCell(this.width);
  }

  capacity(rate: number): number {
    return (this.rates[rate] as Rate).limit;
  }

  fits(cell: Cell, now: number, weight: number, rate: number): boolean {
    const { current, previous, inView } = this.#at(cell, now, rate);
    return previous * inView <= (this.capacity(rate) - current - weight) * (this.#intervals[rate] as number);
  }

  wait(cell: Cell, now: number, weight: number, rate: number): number {
    const limit = this.capacity(rate);
    const interval = this.#intervals[rate] as number;
    if (weight > limit) return Number.POSITIVE_INFINITY;
    const { start, current, previous } = this.#at(cell, now, rate);
    const room = limit - current - weight;
    // Enough of the previous window leaves the view in this window, or of this one in the next.
    if (room >= 0) return start + interval - Math.floor((room * interval) / previous) - now;
    return start + 2 * interval - Math.floor(((limit - weight) * interval) / current) - now;
  }

  left(cell: Cell, now: number, rate: number): number {
    const { current, previous, inView } = this.#at(cell, now, rate);
    return this.capacity(rate) - current - Math.ceil((previous * inView) / (this.#intervals[rate] as number));
  }

  reset(cell: Cell, now: number, weight: number): number {
    let longest = 0;
    for (let rate = 0; rate < this.rates.length; rate++) {
      const interval = this.#intervals[rate] as number;
      const { start, current, previous } = this.#at(cell, now, rate);
      if (current + weight > 0) longest = Math.max(longest, start + 2 * interval - now);
      else if (previous > 0) longest = Math.max(longest, start + interval - now);
    }
    return longest;
  }

  admit(cell: Cell, now: number, weight: number): boolean {
    return admitByRates(this, cell, now, weight);
  }

  take(cell: Cell, now: number, weight: number): void {
    for (let rate = 0; rate < this.rates.length; rate++) {
      const windows = this.#at(cell, now, rate);
      windows.current += weight;
      this.#store(cell, rate, windows);
    }
  }

  give(cell: Cell, now: number, weight: number): void {
    for (let rate = 0; rate < this.rates.length; rate++) {
      const windows = this.#at(cell, now, rate);
      const newest = Math.min(weight, windows.current);
      windows.current -= newest;
      windows.previous = Math.max(0, windows.previous - (weight - newest));
      this.#store(cell, rate, windows);
    }
  }

  #store({ numbers, offset }: Cell, rate: number, windows: Windows): void {
    const at = offset + WIDTH * rate;
    numbers[at] = windows.start;
    numbers[at + 1] = windows.current;
    numbers[at + 2] = windows.previous;
  }

  /** The windows at `now`, in an object that the next call writes over. */
  #at({ numbers, offset }: Cell, now: number, rate: number): Windows {
    const interval = this.#intervals[rate] as number;
    const at = offset + WIDTH * rate;
    const stored = numbers[at] as number;
    // An item from before the window counts as made at its start.
    const instant = Math.max(now, stored);
    const start = instant - (instant % interval);
    const windows = this.#windows;
    windows.start = start;
    windows.current = start === stored ? (numbers[at + 1] as number) : 0;
    windows.previous = 0;
    if (start === stored) windows.previous = numbers[at + 2] as number;
    else if (start === stored + interval) windows.previous = numbers[at + 1] as number;
    windows.inView = start + interval - instant;
    return windows;
  }
}
