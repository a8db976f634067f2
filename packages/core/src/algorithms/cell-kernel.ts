import type { Rate } from "../rate.js";
import { type CarryStrategy, predecessorOf } from "../replace/strategy.js";
import type { Cell, Kernel } from "./kernel.js";

/**
 * One rate of an algorithm whose state is a fixed number of numbers: those of `numbers` from `at` on.
 *
 * All zero is the state of a key that was never seen. What each method promises is said
 * at {@link Kernel}.
 */
export interface RateKernel {
  /** Numbers of state. */
  readonly width: number;
  readonly capacity: number;
  readonly parameters: readonly number[];
  fits(numbers: Float64Array, at: number, now: number, weight: number): boolean;
  wait(numbers: Float64Array, at: number, now: number, weight: number): number;
  left(numbers: Float64Array, at: number, now: number): number;
  reset(numbers: Float64Array, at: number, now: number, weight: number): number;
  admit(numbers: Float64Array, at: number, now: number, weight: number): boolean;
  take(numbers: Float64Array, at: number, now: number, weight: number): void;
  /** @param until Where given, no more is given than time would give from `now` until then. */
  give(numbers: Float64Array, at: number, now: number, weight: number, until?: number): void;
  /** The numbers under this rate of what counts at `now` under an older one of the same algorithm. */
  inherit(
    older: RateKernel,
    numbers: Float64Array,
    at: number,
    now: number,
    strategy: CarryStrategy,
  ): readonly number[];
  merge(numbers: Float64Array, at: number, part: Float64Array, from: number, now: number): void;
  unmerge(numbers: Float64Array, at: number, part: Float64Array, from: number, now: number): void;
}

/** Several rates side by side in one cell: all decide, and then all commit. */
export class CellKernel implements Kernel<Cell> {
  readonly form = "cell";
  readonly width: number;
  readonly rates: readonly Rate[];
  readonly rule: string;
  readonly books: boolean;
  readonly #parts: readonly RateKernel[];
  readonly #first: RateKernel;
  /** Numbers that one rate takes. */
  readonly #step: number;

  /** @param books Whether units that are taken too early count as a debt that is worked off in time. */
  constructor(rule: string, rates: readonly Rate[], compile: (rate: Rate) => RateKernel, books = false) {
    this.rule = rule;
    this.books = books;
    this.rates = rates;
    this.#parts = rates.map(compile);
    this.#first = this.#part(0);
    this.#step = this.#first.width;
    this.width = this.#step * rates.length;
  }

  fresh(): Cell {
    return { numbers: new Float64Array(this.width), offset: 0 };
  }

  capacity(rate: number): number {
    return this.#part(rate).capacity;
  }

  parameters(rate: number): readonly number[] {
    return this.#part(rate).parameters;
  }

  fits({ numbers, offset }: Cell, now: number, weight: number, rate: number): boolean {
    return this.#part(rate).fits(numbers, offset + rate * this.#step, now, weight);
  }

  wait({ numbers, offset }: Cell, now: number, weight: number, rate: number): number {
    const part = this.#part(rate);
    if (weight > part.capacity) return Number.POSITIVE_INFINITY;
    return part.wait(numbers, offset + rate * this.#step, now, weight);
  }

  left({ numbers, offset }: Cell, now: number, rate: number): number {
    return this.#part(rate).left(numbers, offset + rate * this.#step, now);
  }

  reset({ numbers, offset }: Cell, now: number, weight: number): number {
    let longest = 0;
    for (let rate = 0; rate < this.#parts.length; rate++) {
      longest = Math.max(longest, this.#part(rate).reset(numbers, offset + rate * this.#step, now, weight));
    }
    return longest;
  }

  admit(cell: Cell, now: number, weight: number): boolean {
    if (this.#parts.length === 1) return this.#first.admit(cell.numbers, cell.offset, now, weight);
    for (let rate = 0; rate < this.#parts.length; rate++) {
      if (!this.fits(cell, now, weight, rate)) return false;
    }
    this.take(cell, now, weight);
    return true;
  }

  take({ numbers, offset }: Cell, now: number, weight: number): void {
    for (let rate = 0; rate < this.#parts.length; rate++) {
      this.#part(rate).take(numbers, offset + rate * this.#step, now, weight);
    }
  }

  give({ numbers, offset }: Cell, now: number, weight: number, until?: number): void {
    for (let rate = 0; rate < this.#parts.length; rate++) {
      this.#part(rate).give(numbers, offset + rate * this.#step, now, weight, until);
    }
  }

  ahead(): number {
    // Whoever comes after a debt waits for all of it.
    return 0;
  }

  book(cell: Cell, now: number, weight: number): void {
    this.take(cell, now, weight);
  }

  unbook(cell: Cell, now: number, weight: number, _at: number, until: number): void {
    // Of several rates it is the longest that ends then: a shorter one may be given what time gave it.
    this.give(cell, now, weight, until);
  }

  inherit(older: Kernel, { numbers, offset }: Cell, now: number, strategy: CarryStrategy): Cell {
    const heir = this.fresh();
    // A bucket never changes its algorithm.
    const parts = (older as CellKernel).#parts;
    for (const [i, rate] of this.rates.entries()) {
      const place = predecessorOf(rate, older.rates);
      const at = offset + place * this.#step;
      heir.numbers.set(this.#part(i).inherit(parts[place] as RateKernel, numbers, at, now, strategy), i * this.#step);
    }
    return heir;
  }

  merge({ numbers, offset }: Cell, part: Cell, now: number): void {
    for (let at = 0, rate = 0; rate < this.#parts.length; rate++, at += this.#step) {
      this.#part(rate).merge(numbers, offset + at, part.numbers, part.offset + at, now);
    }
  }

  unmerge({ numbers, offset }: Cell, part: Cell, now: number): void {
    for (let at = 0, rate = 0; rate < this.#parts.length; rate++, at += this.#step) {
      this.#part(rate).unmerge(numbers, offset + at, part.numbers, part.offset + at, now);
    }
  }

  #part(rate: number): RateKernel {
    return this.#parts[rate] as RateKernel;
  }
}
