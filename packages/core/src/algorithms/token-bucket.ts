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

const FIELDS = 3;
const REFILL = 0;
const UNIT = 1;
const FULL = 2;

/** The kernel of the token bucket, which is also that of the leaky bucket as a meter. */
export class TokenBucketKernel implements Kernel<Cell> {
  readonly form = "cell";
  readonly width: number;
  readonly rates: readonly Rate[];
  /** For each rate: steps that a microsecond gives back, steps in a unit, steps in a full bucket. */
  readonly #steps: Float64Array;

  constructor(rates: readonly Rate[]) {
    this.rates = rates;
    this.width = 1 + rates.length;
    this.#steps = Float64Array.from(rates.flatMap(stepsOf));
  }

  fresh(): Cell {
    return freshCell(this.width);
  }

  capacity(rate: number): number {
    return (this.rates[rate] as Rate).burst;
  }

  fits(cell: Cell, now: number, weight: number, rate: number): boolean {
    return this.#used(cell, now, weight, rate) <= this.#step(rate, FULL);
  }

  wait(cell: Cell, now: number, weight: number, rate: number): number {
    if (weight > this.capacity(rate)) return Number.POSITIVE_INFINITY;
    const excess = this.#used(cell, now, weight, rate) - this.#step(rate, FULL);
    return this.#behind(cell, now) + Math.ceil(excess / this.#step(rate, REFILL));
  }

  left(cell: Cell, now: number, rate: number): number {
    return Math.floor((this.#step(rate, FULL) - this.#used(cell, now, 0, rate)) / this.#step(rate, UNIT));
  }

  reset(cell: Cell, now: number, weight: number): number {
    let longest = 0;
    for (let rate = 0; rate < this.rates.length; rate++) {
      longest = Math.max(longest, Math.ceil(this.#used(cell, now, weight, rate) / this.#step(rate, REFILL)));
    }
    return this.#behind(cell, now) + longest;
  }

  admit(cell: Cell, now: number, weight: number): boolean {
    const { numbers, offset } = cell;
    const steps = this.#steps;
    const elapsed = Math.max(0, now - (numbers[offset] as number));
    const end = offset + this.width;
    for (let at = offset + 1, step = 0; at < end; at++, step += FIELDS) {
      const used = Math.max(0, (numbers[at] as number) - elapsed * (steps[step] as number));
      if (used + weight * (steps[step + UNIT] as number) > (steps[step + FULL] as number)) return false;
    }
    for (let at = offset + 1, step = 0; at < end; at++, step += FIELDS) {
      const used = Math.max(0, (numbers[at] as number) - elapsed * (steps[step] as number));
      numbers[at] = used + weight * (steps[step + UNIT] as number);
    }
    if (elapsed > 0) numbers[offset] = now;
    return true;
  }

  take(cell: Cell, now: number, weight: number): void {
    const { numbers, offset } = cell;
    for (let rate = 0; rate < this.rates.length; rate++) {
      numbers[offset + 1 + rate] = Math.max(0, this.#used(cell, now, weight, rate));
    }
    if (now > (numbers[offset] as number)) numbers[offset] = now;
  }

  give(cell: Cell, now: number, weight: number): void {
    this.take(cell, now, -weight);
  }

  /** Steps in use at `now`, after what has flowed back since the last change, and with `weight` more units. */
  #used({ numbers, offset }: Cell, now: number, weight: number, rate: number): number {
    const last = numbers[offset] as number;
    const then = numbers[offset + 1 + rate] as number;
    const used = now > last ? Math.max(0, then - (now - last) * this.#step(rate, REFILL)) : then;
    return used + weight * this.#step(rate, UNIT);
  }

  #step(rate: number, field: number): number {
    return this.#steps[FIELDS * rate + field] as number;
  }

  /** Microseconds by which `now` lies before the cell's own time. */
  #behind(cell: Cell, now: number): number {
    return Math.max(0, (cell.numbers[cell.offset] as number) - now);
  }
}

function stepsOf({ limit, interval, burst }: Rate): number[] {
  const us = toMicroseconds(interval);
  const divisor = greatestCommonDivisor(limit, us);
  const unit = us / divisor;
  return [limit / divisor, unit, burst * unit];
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
