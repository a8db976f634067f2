import type { ModelRate, RateModel } from "./model.js";

/** The admitted items, as long as the longest rate counts them; those later than `at - interval` count for this one. */
export class LogModel implements RateModel {
  readonly capacity: bigint;
  private items: { at: bigint; weight: bigint }[] = [];

  constructor(
    private readonly rate: ModelRate,
    private readonly longest: bigint,
  ) {
    this.capacity = rate.limit;
  }

  fits(at: bigint, weight: bigint): boolean {
    let total = weight;
    for (const item of this.inView(at, this.rate.interval)) total += item.weight;
    return total <= this.rate.limit;
  }

  isNew(at: bigint): boolean {
    return this.inView(at, this.rate.interval).length === 0;
  }

  take(at: bigint, weight: bigint): void {
    const instant = this.instant(at);
    this.items = this.inView(at, this.longest);
    this.items.push({ at: instant, weight });
  }

  give(at: bigint, weight: bigint): void {
    let rest = weight;
    this.items = this.inView(at, this.longest);
    while (rest > 0n) {
      const newest = this.items.pop();
      if (newest === undefined) return;
      if (newest.weight > rest) this.items.push({ at: newest.at, weight: newest.weight - rest });
      rest -= newest.weight;
    }
  }

  private inView(at: bigint, interval: bigint): { at: bigint; weight: bigint }[] {
    const now = this.instant(at);
    return this.items.filter((item) => item.at + interval > now);
  }

  private instant(at: bigint): bigint {
    const last = this.items.at(-1)?.at ?? 0n;
    return at > last ? at : last;
  }
}
