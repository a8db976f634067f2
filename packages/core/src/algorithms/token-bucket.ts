/**
 * The token bucket: starts full, refills continuously, admits while it holds enough.
 *
 * A cell is the time of its last change and, for each rate, what is used, in steps in
 * which nothing is ever rounded: a unit is `interval / g` steps and a microsecond gives
 * `limit / g` of them back, with g their greatest common divisor. Below 2^53 steps every
 * operation is exact; beyond, they are IEEE doubles, in the same order in every dialect.
 *
 * Follows golang.org/x/time/rate in what it decides, without its rounding.
 *
 * @module
 */
import { toMicroseconds } from "../duration.js";
import type { Rate } from "../rate.js";
import { type Algorithm, type Cell, freshCell, type Kernel } from "./kernel.js";

/**
 * Refills continuously at `limit / interval` up to `burst`; smooth, and 16 bytes a key for one rate.
 *
 * @example
 * ```ts
 * import { Limiter, ManualClock, tokenBucket } from "@sluice/core";
 * import { InMemoryBucket } from "@sluice/memory";
 *
 * const clock = new ManualClock();
 * const limiter = new Limiter(new InMemoryBucket("10/s burst 20", { algorithm: tokenBucket, clock }));
 * limiter.consume("ada", 20).remaining; // => 0
 * limiter.consume("ada").retryAfter; // => 100
 * ```
 */
export const tokenBucket: Algorithm = {
  name: "token-bucket",
  compile: (rates) => new TokenBucketKernel(rates),
};

/** The kernel of the token bucket, which is also that of the leaky bucket as a meter. */
export class TokenBucketKernel implements Kernel<Cell> {
  readonly form = "cell";
  readonly width: number;
  readonly rates: readonly Rate[];
  /** Steps that a microsecond gives back. */
  readonly #refill: readonly number[];
  /** Steps in a unit. */
  readonly #unit: readonly number[];
  /** Steps in a full bucket. */
  readonly #full: readonly number[];

  constructor(rates: readonly Rate[]) {
    this.rates = rates;
    this.width = 1 + rates.length;
    const divisors = rates.map(({ limit, interval }) => greatestCommonDivisor(limit, toMicroseconds(interval)));
    this.#refill = rates.map(({ limit }, i) => limit / (divisors[i] as number));
    this.#unit = rates.map(({ interval }, i) => toMicroseconds(interval) / (divisors[i] as number));
    this.#full = rates.map(({ burst }, i) => burst * (this.#unit[i] as number));
  }

  fresh(): Cell {
    return freshCell(this.width);
  }

  capacity(rate: number): number {
    return (this.rates[rate] as Rate).burst;
  }

  wait(cell: Cell, now: number, weight: number, rate: number): number {
    const full = this.#full[rate] as number;
    const excess = this.#used(cell, now, rate) + weight * (this.#unit[rate] as number) - full;
    if (excess <= 0) return 0;
    if (weight > this.capacity(rate)) return Number.POSITIVE_INFINITY;
    return this.#behind(cell, now) + Math.ceil(excess / (this.#refill[rate] as number));
  }

  left(cell: Cell, now: number, rate: number): number {
    return Math.floor(((this.#full[rate] as number) - this.#used(cell, now, rate)) / (this.#unit[rate] as number));
  }

  reset(cell: Cell, now: number, weight: number): number {
    let longest = 0;
    for (let rate = 0; rate < this.#full.length; rate++) {
      const used = this.#used(cell, now, rate) + weight * (this.#unit[rate] as number);
      longest = Math.max(longest, Math.ceil(used / (this.#refill[rate] as number)));
    }
    return this.#behind(cell, now) + longest;
  }

  take(cell: Cell, now: number, weight: number): void {
    this.#change(cell, now, weight);
  }

  give(cell: Cell, now: number, weight: number): void {
    this.#change(cell, now, -weight);
  }

  #change(cell: Cell, now: number, weight: number): void {
    const { numbers, offset } = cell;
    for (let rate = 0; rate < this.#full.length; rate++) {
      const used = this.#used(cell, now, rate) + weight * (this.#unit[rate] as number);
      numbers[offset + 1 + rate] = Math.max(0, used);
    }
    numbers[offset] = Math.max(now, numbers[offset] as number);
  }

  /** Steps in use at `now`, after what has flowed back since the last change. */
  #used(cell: Cell, now: number, rate: number): number {
    const { numbers, offset } = cell;
    const elapsed = now - (numbers[offset] as number);
    const used = numbers[offset + 1 + rate] as number;
    return elapsed > 0 ? Math.max(0, used - elapsed * (this.#refill[rate] as number)) : used;
  }

  /** Microseconds by which `now` lies before the cell's own time. */
  #behind(cell: Cell, now: number): number {
    return Math.max(0, (cell.numbers[cell.offset] as number) - now);
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
