/**
 * The fixed window: opens with a key's first admitted item and lasts one interval.
 *
 * The state is the start of the window and the units counted in it; a count of 0 means
 * that no window is open.
 *
 * @module
 */
import { toMicroseconds } from "../duration.js";
import type { Rate } from "../rate.js";
import { type CarryStrategy, scaleUp } from "../replace/strategy.js";
import { CellKernel, type RateKernel } from "./cell-kernel.js";
import { type Algorithm, refuseBursts } from "./kernel.js";

/**
 * Counts up to `limit` in a window that opens with the first item; up to twice the limit
 * can pass around the end of a window.
 *
 * @example
 * ```ts
 * import { fixedWindow, ManualClock } from "@sluice/core";
 * import { InMemoryBucket } from "@sluice/memory";
 *
 * const clock = new ManualClock();
 * const bucket = new InMemoryBucket("2/s", { algorithm: fixedWindow, clock });
 * bucket.put({ key: "ada", weight: 2 }).allowed; // => true
 * clock.advance(400);
 * bucket.put({ key: "ada" }).retryAfter; // => 600
 * ```
 */
export const fixedWindow: Algorithm = {
  name: "fixed-window",
  compile(rates) {
    refuseBursts(this.name, rates);
    return new CellKernel("fixed-window", rates, (rate) => new FixedWindowRate(rate));
  },
};

class FixedWindowRate implements RateKernel {
  readonly width = 2;
  readonly capacity: number;
  readonly parameters: readonly number[];
  readonly #interval: number;

  constructor({ limit, interval }: Rate) {
    this.capacity = limit;
    this.#interval = toMicroseconds(interval);
    this.parameters = [limit, this.#interval];
  }

  fits(numbers: Float64Array, at: number, now: number, weight: number): boolean {
    return this.#count(numbers, at, now) + weight <= this.capacity;
  }

  wait(numbers: Float64Array, at: number, now: number): number {
    return this.#end(numbers, at) - now;
  }

  left(numbers: Float64Array, at: number, now: number): number {
    return this.capacity - this.#count(numbers, at, now);
  }

  reset(numbers: Float64Array, at: number, now: number, weight: number): number {
    if (this.#count(numbers, at, now) > 0) return this.#end(numbers, at) - now;
    return weight > 0 ? this.#interval : 0;
  }

  admit(numbers: Float64Array, at: number, now: number, weight: number): boolean {
    if (!this.fits(numbers, at, now, weight)) return false;
    this.take(numbers, at, now, weight);
    return true;
  }

  take(numbers: Float64Array, at: number, now: number, weight: number): void {
    const count = this.#count(numbers, at, now);
    if (count === 0) numbers[at] = now;
    numbers[at + 1] = count + weight;
  }

  give(numbers: Float64Array, at: number, now: number, weight: number): void {
    const count = this.#count(numbers, at, now);
    // A window that has ended stays as it is, lest a clock that steps back find it empty.
    if (count > 0) numbers[at + 1] = Math.max(0, count - weight);
  }

  inherit(older: RateKernel, numbers: Float64Array, at: number, now: number, strategy: CarryStrategy): number[] {
    const [limit, interval] = older.parameters as [number, number];
    const [start, count] = [numbers[at] as number, numbers[at + 1] as number];
    if (now >= start + interval || count === 0) return [0, 0];
    return [start, strategy === "keep" ? count : scaleUp(count, this.capacity, limit)];
  }

  merge(numbers: Float64Array, at: number, part: Float64Array, from: number, now: number): void {
    const more = this.#count(part, from, now);
    if (more === 0) return;
    const count = this.#count(numbers, at, now);
    const start = part[from] as number;
    // Of two windows the later one lasts: no unit counts for too short a time.
    numbers[at] = count === 0 ? start : Math.max(numbers[at] as number, start);
    numbers[at + 1] = count + more;
  }

  unmerge(numbers: Float64Array, at: number, part: Float64Array, from: number, now: number): void {
    // While its window would be open, the one that it was merged into is.
    this.give(numbers, at, now, this.#count(part, from, now));
  }

  #end(numbers: Float64Array, at: number): number {
    return (numbers[at] as number) + this.#interval;
  }

  /** Units counted in the window that is open at `now`; 0 when none is. */
  #count(numbers: Float64Array, at: number, now: number): number {
    return now < this.#end(numbers, at) ? (numbers[at + 1] as number) : 0;
  }
}
