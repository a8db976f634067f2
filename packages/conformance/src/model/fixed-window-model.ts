import type { ModelRate, RateModel } from "./model.js";

/** A window that the first item opens; `undefined` while none was opened. */
export class FixedWindowModel implements RateModel {
  readonly capacity: bigint;
  private window: { start: bigint; count: bigint } | undefined;

  constructor(private readonly rate: ModelRate) {
    this.capacity = rate.limit;
  }

  fits(at: bigint, weight: bigint): boolean {
    return (this.open(at)?.count ?? 0n) + weight <= this.rate.limit;
  }

  isNew(at: bigint): boolean {
    return this.open(at) === undefined;
  }

  take(at: bigint, weight: bigint): void {
    const open = this.open(at);
    this.window = open === undefined ? { start: at, count: weight } : { start: open.start, count: open.count + weight };
  }

  give(at: bigint, weight: bigint): void {
    const open = this.open(at);
    if (open === undefined) return;
    this.window = open.count > weight ? { start: open.start, count: open.count - weight } : undefined;
  }

  private open(at: bigint): { start: bigint; count: bigint } | undefined {
    return this.window !== undefined && at < this.window.start + this.rate.interval ? this.window : undefined;
  }
}
