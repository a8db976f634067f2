/**
 * The sliding window counter: two aligned windows stand for a sliding one.
 *
 * The state is the start of the current window, the units counted in it
 * and those of the window before. The estimate is the previous count times the share
 * of it still in view, plus the current count. Known from Cloudflare's and Kong's limiters.
 *
 * @module
 */
import { toMicroseconds } from "../duration.js";
import type { Rate } from "../rate.js";
import { type CarryStrategy, scaleUp } from "../replace/strategy.js";
import { CellKernel, type RateKernel } from "./cell-kernel.js";
import { type Algorithm, refuseBursts } from "./kernel.js";

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
    return new CellKernel("sliding-window-counter", rates, (rate) => new SlidingWindowCounterRate(rate));
  },
};

/** The two windows as they stand at an instant. */
interface Windows {
  start: number;
  current: number;
  previous: number;
  /** Microseconds of the previous window that are still in view. */
  inView: number;
}

class SlidingWindowCounterRate implements RateKernel {
  readonly width = 3;
  readonly capacity: number;
  readonly parameters: readonly number[];
  readonly #interval: number;
  readonly #windows: Windows = { start: 0, current: 0, previous: 0, inView: 0 };

  constructor({ limit, interval }: Rate) {
    this.capacity = limit;
    this.#interval = toMicroseconds(interval);
    this.parameters = [limit, this.#interval];
  }

  fits(numbers: Float64Array, at: number, now: number, weight: number): boolean {
    const { current, previous, inView } = this.#look(numbers, at, now);
    return previous * inView <= (this.capacity - current - weight) * this.#interval;
  }

  wait(numbers: Float64Array, at: number, now: number, weight: number): number {
    const { start, current, previous } = this.#look(numbers, at, now);
    const room = this.capacity - current - weight;
    // Enough of the previous window leaves the view in this window, or of this one in the next.
    if (room >= 0) return start + this.#interval - Math.floor((room * this.#interval) / previous) - now;
    const kept = Math.floor(((this.capacity - weight) * this.#interval) / current);
    return start + 2 * this.#interval - kept - now;
  }

  left(numbers: Float64Array, at: number, now: number): number {
    const { current, previous, inView } = this.#look(numbers, at, now);
    return this.capacity - current - Math.ceil((previous * inView) / this.#interval);
  }

  reset(numbers: Float64Array, at: number, now: number, weight: number): number {
    const { start, current, previous } = this.#look(numbers, at, now);
    if (current + weight > 0) return start + 2 * this.#interval - now;
    return previous > 0 ? start + this.#interval - now : 0;
  }

  admit(numbers: Float64Array, at: number, now: number, weight: number): boolean {
    if (!this.fits(numbers, at, now, weight)) return false;
    this.take(numbers, at, now, weight);
    return true;
  }

  take(numbers: Float64Array, at: number, now: number, weight: number): void {
    const windows = this.#look(numbers, at, now);
    windows.current += weight;
    store(numbers, at, windows);
  }

  give(numbers: Float64Array, at: number, now: number, weight: number): void {
    const windows = this.#look(numbers, at, now);
    const newest = Math.min(weight, windows.current);
    windows.current -= newest;
    windows.previous = Math.max(0, windows.previous - (weight - newest));
    store(numbers, at, windows);
  }

  inherit(older: RateKernel, numbers: Float64Array, at: number, now: number, strategy: CarryStrategy): number[] {
    const { capacity } = older;
    const [, interval] = older.parameters as [number, number];
    const { start, current, previous, inView } = (older as SlidingWindowCounterRate).#look(numbers, at, now);
    const scale = (units: number) => (strategy === "keep" ? units : scaleUp(units, this.capacity, capacity));
    if (current === 0 && previous === 0) return [0, 0, 0];
    if (interval === this.#interval) return [start, scale(current), scale(previous)];
    // Windows of another length cannot go on: what is in view counts as made now.
    const instant = start + interval - inView;
    const estimate = current + Math.ceil((previous * inView) / interval);
    return [instant - (instant % this.#interval), scale(estimate), 0];
  }

  merge(numbers: Float64Array, at: number, part: Float64Array, from: number): void {
    this.#add(numbers, at, part, from, 1);
  }

  unmerge(numbers: Float64Array, at: number, part: Float64Array, from: number): void {
    this.#add(numbers, at, part, from, -1);
  }

  /** Adds windows to those that stand beside them, or takes them away. */
  #add(numbers: Float64Array, at: number, part: Float64Array, from: number, sign: 1 | -1): void {
    const later = Math.max(numbers[at] as number, part[from] as number);
    const { current, previous } = this.#look(part, from, later);
    if (current === 0 && previous === 0) return;
    const windows = this.#look(numbers, at, later);
    windows.current = Math.max(0, windows.current + sign * current);
    windows.previous = Math.max(0, windows.previous + sign * previous);
    store(numbers, at, windows);
  }

  /** The windows at `now`, in an object that the next call writes over. */
  #look(numbers: Float64Array, at: number, now: number): Windows {
    const interval = this.#interval;
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

function store(numbers: Float64Array, at: number, { start, current, previous }: Windows): void {
  numbers[at] = start;
  numbers[at + 1] = current;
  numbers[at + 2] = previous;
}
