/**
 * The fixed window: opens with a key's first admitted item and lasts one interval.
 *
 * A cell is, for each rate, the start of its window and the units counted in it; a count
 * of 0 means that no window is open.
 *
 * @module
 */
import { toMicroseconds } from "../duration.js";
import type { Rate } from "../rate.js";
import { admitByRates, type Algorithm, type Cell, freshCell, type Kernel, refuseBursts } from "./kernel.js";

const WIDTH = 2;

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
    return new FixedWindowKernel(rates);
  },
};

class FixedWindowKernel implements Kernel<Cell> {
  readonly form = "cell";
  readonly width: number;
  readonly rates: readonly Rate[];
  readonly #intervals: readonly number[];

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
    return weight <= this.left(cell, now, rate);
  }

  wait(cell: Cell, now: number, weight: number, rate: number): number {
    return weight > this.capacity(rate) ? Number.POSITIVE_INFINITY : this.#end(cell, rate) - now;
  }

  left(cell: Cell, now: number, rate: number): number {
    return this.capacity(rate) - this.#count(cell, now, rate);
  }

  reset(cell: Cell, now: number, weight: number): number {
    let longest = 0;
    for (let rate = 0; rate < this.rates.length; rate++) {
      const open = this.#count(cell, now, rate) > 0;
      const fresh = weight > 0 ? (this.#intervals[rate] as number) : 0;
      longest = Math.max(longest, open ? this.#end(cell, rate) - now : fresh);
    }
    return longest;
  }

  admit(cell: Cell, now: number, weight: number): boolean {
    return admitByRates(this, cell, now, weight);
  }

  take(cell: Cell, now: number, weight: number): void {
    for (let rate = 0; rate < this.rates.length; rate++) {
      const at = cell.offset + WIDTH * rate;
      const count = this.#count(cell, now, rate);
      if (count === 0) cell.numbers[at] = now;
      cell.numbers[at + 1] = count + weight;
    }
  }

  give(cell: Cell, now: number, weight: number): void {
    for (let rate = 0; rate < this.rates.length; rate++) {
      const count = this.#count(cell, now, rate);
      // A window that has ended stays as it is, lest a clock that steps back find it empty.
      if (count > 0) cell.numbers[cell.offset + WIDTH * rate + 1] = Math.max(0, count - weight);
    }
  }

  #end({ numbers, offset }: Cell, rate: number): number {
    return (numbers[offset + WIDTH * rate] as number) + (this.#intervals[rate] as number);
  }

  /** Units counted in the window that is open at `now`; 0 when none is. */
  #count(cell: Cell, now: number, rate: number): number {
    return now < this.#end(cell, rate) ? (cell.numbers[cell.offset + WIDTH * rate + 1] as number) : 0;
  }
}
