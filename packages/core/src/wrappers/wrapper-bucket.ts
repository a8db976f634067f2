import { AbstractBucket, type Booking, type ReplaceListener, type Snapshot } from "../abstract-bucket.js";
import type { Kernel } from "../algorithms/kernel.js";
import type { Booked, Operation } from "../algorithms/operate.js";
import type { Decision } from "../decision.js";
import { toMicroseconds, toMilliseconds } from "../duration.js";
import type { Entry, RateItem } from "../item.js";
import { andThen, type Mode, type Outcome } from "../mode.js";
import type { Rate } from "../rate.js";
import type { ReplaceStrategy } from "../replace/strategy.js";

/** A bucket around a bucket: does what that does, save where a subclass does otherwise. Closing it closes that. */
export abstract class WrapperBucket<M extends Mode> extends AbstractBucket<M> {
  /** The bucket underneath. */
  protected readonly _inner: AbstractBucket<M>;

  constructor(inner: AbstractBucket<M>) {
    super(inner.mode, inner.rates, inner);
    this._inner = inner;
  }

  override get rates(): readonly Rate[] {
    return this._inner.rates;
  }

  override get kernel(): Kernel {
    return this._inner.kernel;
  }

  override get capacity(): number {
    return this._inner.capacity;
  }

  /** How many keys lost units that counted, in the buckets underneath. */
  get evictions(): number {
    return evictionsOf(this._inner);
  }

  override onReplaceRates(listener: ReplaceListener): () => void {
    return this._inner.onReplaceRates(listener);
  }

  protected override _replaceRates(rates: readonly Rate[], strategy: ReplaceStrategy): Outcome<M, void> {
    return this._inner.replaceRates(rates, strategy);
  }

  protected override _apply(operation: Operation, entry: Entry): Outcome<M, Decision> {
    return this._inner[operation](itemOf(entry));
  }

  protected override _applyAll(operation: Operation, entries: readonly Entry[]): Outcome<M, Decision[]> {
    if (operation !== "put") return super._applyAll(operation, entries);
    return this._inner.putMany(entries.map(itemOf));
  }

  protected override _tryPut(key: string, weight: number): Outcome<M, boolean> {
    return this._inner.tryPut(key, weight);
  }

  override get reserves(): boolean {
    return this._inner.reserves;
  }

  protected override _reserve(entry: Entry, maxWait: number): Outcome<M, Booked> {
    return andThen(this.mode, this._inner.reserve(itemOf(entry), maxWait / 1000), bookedOf);
  }

  protected override _cancel(entry: Entry, at: number, number: number): Outcome<M, Decision> {
    return this._inner.cancel(itemOf(entry), { at: toMilliseconds(at), number });
  }

  protected override _read(key: string): Outcome<M, Snapshot> {
    return this._inner.read(key);
  }

  protected override _leak(now: number | undefined): Outcome<M, number> {
    return this._inner.leak(now === undefined ? undefined : toMilliseconds(now));
  }

  protected override _sweep(budget: number): Outcome<M, boolean> {
    return this._inner.sweep(budget);
  }

  protected override _flush(key: string | undefined): Outcome<M, void> {
    return this._inner.flush(key);
  }

  protected override _now(): Outcome<M, number> {
    return andThen(this.mode, this._inner.now(), (ms: number) => toMicroseconds(ms));
  }

  protected override _close(): Outcome<M, void> {
    return this._inner.close();
  }
}

/** How many keys lost units that counted to make room for others; 0 for a bucket that does not say. */
export function evictionsOf(bucket: unknown): number {
  const { evictions } = bucket as { evictions?: unknown };
  return typeof evictions === "number" ? evictions : 0;
}

/** The item that an entry was made from. */
export function itemOf({ key, weight, at }: Entry): RateItem {
  return { key, weight, timestamp: at === undefined ? undefined : toMilliseconds(at) };
}

/** A booking as a twin gives it. */
export function bookedOf({ decision, at, number }: Booking): Booked {
  return { decision, at: toMicroseconds(at), number };
}
