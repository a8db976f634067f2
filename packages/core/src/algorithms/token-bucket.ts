/**
 * The token bucket: starts full, refills continuously, admits while it holds enough.
 *
 * The state is the time of its last change and what is used, in steps in which nothing is
 * ever rounded: a unit is `interval / g` steps and a microsecond gives
 * `limit / g` of them back, with g their greatest common divisor. Below 2^53 steps every
 * operation is exact; beyond, they are IEEE doubles, in the same order in every dialect.
 *
 * Follows golang.org/x/time/rate in what it decides, without its rounding.
 *
 * @module
 */
import { toMicroseconds } from "../duration.js";
import type { Rate } from "../rate.js";
import { type CarryStrategy, scaleUp } from "../replace/strategy.js";
import { type Bookable, CellKernel, type RateKernel } from "./cell-kernel.js";
import type { Algorithm } from "./kernel.js";

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
  compile: (rates) => new CellKernel("token-bucket", rates, (rate) => new TokenBucketRate(rate)),
};

/** One rate of the token bucket, which is also that of the leaky bucket as a meter. */
export class TokenBucketRate implements RateKernel, Bookable {
  readonly width = 2;
  readonly capacity: number;
  readonly parameters: readonly number[];
  readonly bookable = this;
  readonly unit: number;
  /** Steps that a microsecond gives back. */
  readonly #refill: number;
  /** Steps in a full bucket. */
  readonly #full: number;

  constructor({ limit, interval, burst }: Rate) {
    const us = toMicroseconds(interval);
    const divisor = greatestCommonDivisor(limit, us);
    this.capacity = burst;
    this.#refill = limit / divisor;
    this.unit = us / divisor;
    this.#full = burst * this.unit;
    this.parameters = [this.#refill, this.unit, this.#full];
  }

  fits(numbers: Float64Array, at: number, now: number, weight: number): boolean {
    return this.used(numbers, at, now) + weight * this.unit <= this.#full;
  }

  wait(numbers: Float64Array, at: number, now: number, weight: number): number {
    const excess = this.used(numbers, at, now) + weight * this.unit - this.#full;
    return behind(numbers, at, now) + Math.ceil(excess / this.#refill);
  }

  left(numbers: Float64Array, at: number, now: number): number {
    return Math.floor((this.#full - this.used(numbers, at, now)) / this.unit);
  }

  reset(numbers: Float64Array, at: number, now: number, weight: number): number {
    const used = this.used(numbers, at, now) + weight * this.unit;
    return behind(numbers, at, now) + Math.ceil(used / this.#refill);
  }

  admit(numbers: Float64Array, at: number, now: number, weight: number): boolean {
    const used = this.used(numbers, at, now) + weight * this.unit;
    if (used > this.#full) return false;
    write(numbers, at, now, used);
    return true;
  }

  take(numbers: Float64Array, at: number, now: number, weight: number): void {
    write(numbers, at, now, this.used(numbers, at, now) + weight * this.unit);
  }

  give(numbers: Float64Array, at: number, now: number, weight: number): void {
    this.giveSteps(numbers, at, now, weight * this.unit);
  }

  inherit(older: RateKernel, numbers: Float64Array, at: number, now: number, strategy: CarryStrategy): number[] {
    // A bucket never changes its algorithm.
    const from = older as TokenBucketRate;
    const used = from.used(numbers, at, now);
    if (used === 0) return [0, 0];
    const steps = strategy === "keep" ? scaleUp(used, this.unit, from.unit) : scaleUp(used, this.#full, from.#full);
    return [Math.max(numbers[at] as number, now), steps];
  }

  merge(numbers: Float64Array, at: number, part: Float64Array, from: number): void {
    const time = part[from] as number;
    if ((part[from + 1] as number) === 0) return;
    write(numbers, at, time, this.used(numbers, at, time) + this.used(part, from, numbers[at] as number));
  }

  unmerge(numbers: Float64Array, at: number, part: Float64Array, from: number): void {
    // What time took back since then is no longer there to be taken.
    const rest = this.used(part, from, numbers[at] as number);
    numbers[at + 1] = Math.max(0, (numbers[at + 1] as number) - rest);
  }

  giveSteps(numbers: Float64Array, at: number, now: number, steps: number): void {
    write(numbers, at, now, Math.max(0, this.used(numbers, at, now) - steps));
  }

  /** Steps in use at `now`, after what has flowed back since the last change. */
  used(numbers: Float64Array, at: number, now: number): number {
    const elapsed = now - (numbers[at] as number);
    const used = numbers[at + 1] as number;
    if (elapsed <= 0) return used;
    return Math.max(0, used - elapsed * this.#refill);
  }
}

function write(numbers: Float64Array, at: number, now: number, used: number): void {
  if (now > (numbers[at] as number)) numbers[at] = now;
  numbers[at + 1] = used;
}

/** Microseconds by which `now` lies before the state's own time. */
function behind(numbers: Float64Array, at: number, now: number): number {
  return Math.max(0, (numbers[at] as number) - now);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
