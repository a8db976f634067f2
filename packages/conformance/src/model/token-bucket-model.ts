import type { ModelRate, RateModel } from "./model.js";

/** Used units times the interval: a fraction without a denominator. It falls by `limit` each microsecond. */
export class TokenBucketModel implements RateModel {
  readonly capacity: bigint;
  private last = 0n;
  private used = 0n;

  constructor(private readonly rate: ModelRate) {
    this.capacity = rate.burst;
  }

  fits(at: bigint, weight: bigint): boolean {
    return this.usedAt(at) + weight * this.rate.interval <= this.rate.burst * this.rate.interval;
  }

  isNew(at: bigint): boolean {
    return at >= this.last && this.usedAt(at) === 0n;
  }

  take(at: bigint, weight: bigint): void {
    const used = this.usedAt(at) + weight * this.rate.interval;
    this.used = used < 0n ? 0n : used;
    if (at > this.last) this.last = at;
  }

  give(at: bigint, weight: bigint): void {
    this.take(at, -weight);
  }

  private usedAt(at: bigint): bigint {
    const elapsed = at > this.last ? at - this.last : 0n;
    const used = this.used - elapsed * this.rate.limit;
    return used < 0n ? 0n : used;
  }
}
