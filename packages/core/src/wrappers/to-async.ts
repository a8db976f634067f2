import { AbstractBucket, type ReplaceListener, type Snapshot } from "../abstract-bucket.js";
import type { Kernel } from "../algorithms/kernel.js";
import type { Booked, Operation } from "../algorithms/operate.js";
import type { Decision } from "../decision.js";
import { toMicroseconds, toMilliseconds } from "../duration.js";
import type { Entry } from "../item.js";
import type { Mode } from "../mode.js";
import type { Rate } from "../rate.js";
import type { ReplaceStrategy } from "../replace/strategy.js";
import { bookedOf, evictionsOf, itemOf } from "./wrapper-bucket.js";

/**
 * The same bucket, answering by promises: for code that does not want to know where the
 * cells lie. One that does already is given back as it is.
 *
 * Closing it closes the bucket underneath.
 *
 * @example
 * ```ts
 * import { Limiter, toAsync } from "@sluice/core";
 * import { InMemoryBucket } from "@sluice/memory";
 *
 * await using limiter = new Limiter(toAsync(new InMemoryBucket("100/min")));
 * await limiter.tryAcquire("ada"); // => true
 * ```
 */
export function toAsync(bucket: AbstractBucket<Mode>): AbstractBucket<"async"> {
  return isAsync(bucket) ? bucket : new AsyncBucket(bucket as AbstractBucket<"sync">);
}

function isAsync(bucket: AbstractBucket<Mode>): bucket is AbstractBucket<"async"> {
  return bucket.mode === "async";
}

class AsyncBucket extends AbstractBucket<"async"> {
  readonly #bucket: AbstractBucket<"sync">;

  constructor(bucket: AbstractBucket<"sync">) {
    super("async", bucket.rates, bucket);
    this.#bucket = bucket;
  }

  override get rates(): readonly Rate[] {
    return this.#bucket.rates;
  }

  override get kernel(): Kernel {
    return this.#bucket.kernel;
  }

  override get capacity(): number {
    return this.#bucket.capacity;
  }

  /** How many keys lost units that counted, in the bucket underneath. */
  get evictions(): number {
    return evictionsOf(this.#bucket);
  }

  override onReplaceRates(listener: ReplaceListener): () => void {
    return this.#bucket.onReplaceRates(listener);
  }

  protected override async _replaceRates(rates: readonly Rate[], strategy: ReplaceStrategy): Promise<void> {
    this.#bucket.replaceRates(rates, strategy);
  }

  protected override async _apply(operation: Operation, entry: Entry): Promise<Decision> {
    return this.#bucket[operation](itemOf(entry));
  }

  protected override async _applyAll(operation: Operation, entries: readonly Entry[]): Promise<Decision[]> {
    const items = entries.map(itemOf);
    return operation === "put" ? this.#bucket.putMany(items) : items.map((item) => this.#bucket[operation](item));
  }

  protected override async _tryPut(key: string, weight: number): Promise<boolean> {
    return this.#bucket.tryPut(key, weight);
  }

  override get reserves(): boolean {
    return this.#bucket.reserves;
  }

  protected override async _reserve(entry: Entry, maxWait: number): Promise<Booked> {
    return bookedOf(this.#bucket.reserve(itemOf(entry), maxWait / 1000));
  }

  protected override async _cancel(entry: Entry, at: number, number: number): Promise<Decision> {
    return this.#bucket.cancel(itemOf(entry), { at: toMilliseconds(at), number });
  }

  protected override async _read(key: string): Promise<Snapshot> {
    return this.#bucket.read(key);
  }

  protected override async _leak(now: number | undefined): Promise<number> {
    return this.#bucket.leak(now === undefined ? undefined : toMilliseconds(now));
  }

  protected override async _sweep(budget: number): Promise<boolean> {
    return this.#bucket.sweep(budget);
  }

  protected override async _flush(key: string | undefined): Promise<void> {
    this.#bucket.flush(key);
  }

  protected override async _now(): Promise<number> {
    return toMicroseconds(this.#bucket.now());
  }

  protected override async _close(): Promise<void> {
    this.#bucket.close();
  }
}
