import type { AbstractBucket } from "../abstract-bucket.js";
import { lift, type Mode, type Outcome } from "../mode.js";
import { BucketFactory, type BucketOf, type FactoryOptions } from "./bucket-factory.js";

/**
 * Sends every item to one bucket: what a limiter makes of a bucket that it is given.
 *
 * @example
 * ```ts
 * import { Limiter, SingleBucketFactory } from "@sluice/core";
 * import { InMemoryBucket } from "@sluice/memory";
 *
 * const factory = new SingleBucketFactory(new InMemoryBucket("5/s"), { leakInterval: 60_000 });
 * using limiter = new Limiter(factory);
 * limiter.buckets().length; // => 1
 * ```
 */
export class SingleBucketFactory<M extends Mode> extends BucketFactory<M> {
  /** The bucket. */
  readonly bucket: AbstractBucket<M>;

  constructor(bucket: AbstractBucket<M>, options?: FactoryOptions) {
    super(bucket.mode, options);
    this.bucket = bucket;
    this.scheduleLeak(bucket as BucketOf<M>);
  }

  override get(): Outcome<M, BucketOf<M>> {
    return lift(this.mode, this.bucket as BucketOf<M>);
  }
}
