import type { Rate } from "../rate.js";
import { type CarryStrategy, predecessorOf } from "../replace/strategy.js";
import type { Cell, Kernel } from "./kernel.js";
import { leastSince, lowered, nextNumber, underOtherRates, withBooking, withoutUnits } from "./open-bookings.js";

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
  give(numbers: Float64Array, at: number, now: number, weight: number): void;
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
  /** How units are booked, where that can be. */
  readonly bookable?: Bookable;
}

/** What a rate has that books: units that are taken too early count as a debt, which is worked off in time. */
export interface Bookable {
  /** Steps in a unit. */
  readonly unit: number;
  /** Steps in use at `now`. */
  used(numbers: Float64Array, at: number, now: number): number;
  /** Gives steps back, no more than are in use; the first of the numbers is the time of the last change. */
  giveSteps(numbers: Float64Array, at: number, now: number, steps: number): void;
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

  constructor(rule: string, rates: readonly Rate[], compile: (rate: Rate) => RateKernel) {
    this.rule = rule;
    this.rates = rates;
    this.#parts = rates.map(compile);
    this.#first = this.#part(0);
    this.books = this.#first.bookable !== undefined;
    this.#step = this.#first.width;
    this.width = this.#step * rates.length;
  }

  fresh(): Cell {
    return { numbers: new Float64Array(this.width), offset: 0, booked: undefined };
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
    const isPlain = this.#parts.length === 1 && cell.booked === undefined;
    if (isPlain) return this.#first.admit(cell.numbers, cell.offset, now, weight);
    for (let rate = 0; rate < this.#parts.length; rate++) {
      if (!this.fits(cell, now, weight, rate)) return false;
    }
    this.take(cell, now, weight);
    return true;
  }

  take(cell: Cell, now: number, weight: number): void {
    this.#lower(cell, now);
    const { numbers, offset } = cell;
    for (let rate = 0; rate < this.#parts.length; rate++) {
      this.#part(rate).take(numbers, offset + rate * this.#step, now, weight);
    }
  }

  give(cell: Cell, now: number, weight: number): void {
    const { numbers, offset } = cell;
    for (let rate = 0; rate < this.#parts.length; rate++) {
      this.#part(rate).give(numbers, offset + rate * this.#step, now, weight);
    }
    this.#lower(cell, now);
  }

  ahead(): number {
    // Whoever comes after a debt waits for all of it.
    return 0;
  }

  book(cell: Cell, now: number, weight: number): number {
    this.take(cell, now, weight);
    const changed = cell.numbers[cell.offset] as number;
    const number = nextNumber(cell.booked, changed, this.#parts.length);
    cell.booked = withBooking(cell.booked, number, this.#used(cell, now));
    return number;
  }

  unbook(cell: Cell, now: number, weight: number, _at: number, number: number): void {
    this.#lower(cell, now);
    const { booked, numbers, offset } = cell;
    if (booked === undefined) return;
    const least = leastSince(booked, number, this.#parts.length);
    const given = least.map((most, rate) => {
      const part = this.#part(rate).bookable as Bookable;
      const steps = Math.min(weight * part.unit, most);
      part.giveSteps(numbers, offset + rate * this.#step, now, steps);
      return steps;
    });
    cell.booked = withoutUnits(booked, number, least, given, now);
  }

  inherit(older: Kernel, cell: Cell, now: number, strategy: CarryStrategy): Cell {
    const heir = this.fresh();
    const { numbers, offset } = cell;
    // A bucket never changes its algorithm.
    const parts = (older as CellKernel).#parts;
    for (const [i, rate] of this.rates.entries()) {
      const place = predecessorOf(rate, older.rates);
      const at = offset + place * this.#step;
      heir.numbers.set(this.#part(i).inherit(parts[place] as RateKernel, numbers, at, now, strategy), i * this.#step);
    }
    heir.booked = this.#inheritBookings(older as CellKernel, cell, now, strategy);
    return heir;
  }

  merge(cell: Cell, part: Cell, now: number): void {
    const { numbers, offset } = cell;
    const own = this.#lowered(cell, now);
    const brought = this.#lowered(part, now);
    // What was in use of both together since one of them was booked does not show.
    cell.booked = own === undefined ? brought : brought === undefined ? own : undefined;
    for (let at = 0, rate = 0; rate < this.#parts.length; rate++, at += this.#step) {
      this.#part(rate).merge(numbers, offset + at, part.numbers, part.offset + at, now);
    }
  }

  unmerge(cell: Cell, part: Cell, now: number): void {
    const { numbers, offset } = cell;
    for (let at = 0, rate = 0; rate < this.#parts.length; rate++, at += this.#step) {
      this.#part(rate).unmerge(numbers, offset + at, part.numbers, part.offset + at, now);
    }
    // Which of them came with the part does not show.
    cell.booked = undefined;
  }

  #inheritBookings(older: CellKernel, cell: Cell, now: number, strategy: CarryStrategy): number[] | undefined {
    const rows = older.#lowered(cell, now);
    if (rows === undefined) return undefined;
    const stepsOf = ({ bookable, capacity }: RateKernel) =>
      (bookable as Bookable).unit * (strategy === "keep" ? 1 : capacity);
    const columns = this.rates.map((rate, i) => {
      const place = predecessorOf(rate, older.rates);
      return { place, steps: stepsOf(this.#part(i)), olderSteps: stepsOf(older.#part(place)) };
    });
    return underOtherRates(rows, older.rates.length, columns);
  }

  /** Notes what is in use, in case that it has not been so little since some booking. */
  #lower(cell: Cell, now: number): void {
    if (cell.booked !== undefined) cell.booked = this.#lowered(cell, now);
  }

  #lowered(cell: Cell, now: number): number[] | undefined {
    return cell.booked === undefined ? undefined : lowered(cell.booked, this.#used(cell, now), now);
  }

  #used({ numbers, offset }: Cell, now: number): number[] {
    return this.#parts.map(({ bookable }, rate) =>
      (bookable as Bookable).used(numbers, offset + rate * this.#step, now),
    );
  }

  #part(rate: number): RateKernel {
    return this.#parts[rate] as RateKernel;
  }
}
