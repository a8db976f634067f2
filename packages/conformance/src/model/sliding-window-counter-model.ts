import type { ModelRate, RateModel } from "./model.js";

/** Units by the number of their aligned window; the window of the last change bounds a step back of the clock. */
export class SlidingWindowCounterModel implements RateModel {
  readonly capacity: bigint;
  private readonly units = new Map<bigint, bigint>();
  private newest = 0n;

  constructor(private readonly rate: ModelRate) {
    this.capacity = rate.limit;
  }

  fits(at: bigint, weight: bigint): boolean {
    const { limit, interval } = this.rate;
    const window = this.windowOf(at);
    const start = window * interval;
    const instant = at > start ? at : start;
    const inView = start + interval - instant;
    // estimate * interval, which is whole
    const estimate = this.in(window - 1n) * inView + this.in(window) * interval;
    return estimate + weight * interval <= limit * interval;
  }

  isNew(at: bigint): boolean {
    const window = this.windowOf(at);
    return this.in(window) === 0n && this.in(window - 1n) === 0n;
  }

  take(at: bigint, weight: bigint): void {
    const window = this.windowOf(at);
    this.units.set(window, this.in(window) + weight);
    this.newest = window;
  }

  give(at: bigint, weight: bigint): void {
    const window = this.windowOf(at);
    const newest = this.in(window) < weight ? this.in(window) : weight;
    const older = this.in(window - 1n) < weight - newest ? this.in(window - 1n) : weight - newest;
    this.units.set(window, this.in(window) - newest);
    this.units.set(window - 1n, this.in(window - 1n) - older);
    this.newest = window;
  }

  private windowOf(at: bigint): bigint {
    const window = at / this.rate.interval;
    return window > this.newest ? window : this.newest;
  }

  private in(window: bigint): bigint {
    return this.units.get(window) ?? 0n;
  }
}
