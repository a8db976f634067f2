/**
 * Factories say which bucket an item belongs to, and look after the buckets they hold.
 *
 * @module
 */
import type { AbstractBucket } from "../abstract-bucket.js";
import type { AbstractClock } from "../clock/abstract-clock.js";
import { LimiterError } from "../errors.js";
import type { RateItem } from "../item.js";
import { andThen, inOrder, lift, type Mode, type Outcome } from "../mode.js";
import { Leaker } from "./leaker.js";

/** The buckets that a factory of mode `M` may hand out: under `"async"` a bucket that answers at once will do, too. */
export type BucketOf<M extends Mode> = {
  /** Under a factory that answers at once: buckets that do, too. */
  sync: AbstractBucket<"sync">;
  /** Under a factory that answers by promises: any bucket. */
  async: AbstractBucket<Mode>;
}[M];

/** What every factory can be told. */
export interface FactoryOptions {
  /** Milliseconds between two sweeps of the buckets; 10 s when left out. */
  readonly leakInterval?: number;
  /** Whose timers the sweeps run on; the system's when left out. */
  readonly leakClock?: AbstractClock;
  /** Told when a sweep fails; the sweeps go on. */
  readonly onLeakError?: (error: unknown) => void;
}

/**
 * Stamps an item and says which bucket it belongs to.
 *
 * A subclass gives `get`, and `wrapItem` where items carry a time of their own. Buckets
 * made by `create` are swept in the background and closed with the factory.
 *
 * @example
 * ```ts
 * import { BucketFactory, Limiter, type RateItem } from "@sluice/core";
 * import { InMemoryBucket } from "@sluice/memory";
 *
 * class ByRegion extends BucketFactory<"sync"> {
 *   readonly europe = this.create(InMemoryBucket, "100/s");
 *   readonly world = this.create(InMemoryBucket, "20/s");
 *   override get(item: RateItem) {
 *     return item.key.startsWith("eu-") ? this.europe : this.world;
 *   }
 * }
 * using limiter = new Limiter(new ByRegion("sync"));
 * limiter.consume("eu-ada").remaining; // => 99
 * limiter.consume("us-bob").remaining; // => 19
 * ```
 */
export abstract class BucketFactory<M extends Mode> {
  /** Whether items find their bucket, and buckets answer, at once or by promises. */
  readonly mode: M;
  readonly #leaker: Leaker;
  #closing: Outcome<M, void> | undefined;
  #closed = false;

  constructor(mode: M, options: FactoryOptions = {}) {
    this.mode = mode;
    this.#leaker = new Leaker(options);
  }

  /** Makes the item that is put: here a time of its own, or another key, can be given to it. */
  wrapItem(key: string, weight: number): Outcome<M, RateItem> {
    return lift<M, RateItem>(this.mode, { key, weight });
  }

  /** The bucket that an item belongs to; one that `create` made, or that `scheduleLeak` was told of. */
  abstract get(item: RateItem): Outcome<M, BucketOf<M>>;

  /** Makes a bucket and looks after it: `factory.create(InMemoryBucket, "100/min", options)`. */
  create<B extends BucketOf<M>, A extends unknown[]>(Bucket: new (...args: A) => B, ...args: A): B {
    this.checkOpen();
    return this.scheduleLeak(new Bucket(...args));
  }

  /** Looks after a bucket made elsewhere: it is swept from time to time, and closed with the factory. */
  scheduleLeak<B extends BucketOf<M>>(bucket: B): B {
    this.checkOpen();
    this.#leaker.add(bucket);
    return bucket;
  }

  /** Milliseconds between two sweeps. */
  get leakInterval(): number {
    return this.#leaker.interval;
  }

  /** Sweeps at another interval from now on. */
  set leakInterval(ms: number) {
    this.#leaker.interval = ms;
  }

  /** The buckets that are looked after. */
  buckets(): readonly BucketOf<M>[] {
    return this.#leaker.buckets as readonly BucketOf<M>[];
  }

  /** Stops looking after a bucket and closes it; says whether it was one of this factory's. */
  dispose(bucket: BucketOf<M>): Outcome<M, boolean> {
    if (!this.#leaker.delete(bucket)) return lift(this.mode, false);
    return andThen(this.mode, lift(this.mode, bucket.close()), () => true);
  }

  /** Stops the sweeps and closes the buckets. Further calls do nothing. */
  close(): Outcome<M, void> {
    if (!this.#closed) {
      this.#closed = true;
      const buckets = this.buckets();
      this.#leaker.close();
      const closed = inOrder(this.mode, buckets, (bucket) => lift(this.mode, bucket.close()));
      this.#closing = andThen<M, void[], void>(this.mode, closed, () => undefined);
    }
    return this.#closing as Outcome<M, void>;
  }

  /** Throws {@link LimiterError} `CLOSED` once the factory is closed: nothing may be looked after any more. */
  protected checkOpen(): void {
    if (this.#closed)
      throw new LimiterError("CLOSED", "Cannot hand out a bucket: the factory is closed. Make a new one.");
  }
}
