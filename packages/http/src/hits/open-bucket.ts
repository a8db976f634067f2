/**
 * The buckets that stores of other people's middleware count in.
 *
 * @module
 */
import { type AbstractBucket, type Algorithm, Limiter, type Mode, type Rate } from "@sluice/core";
import { type Soon, whenThere } from "./soon.js";

/** What a bucket is to be opened with, beside its rate; it fits as the options of every bucket. */
export interface OpenBucketOptions {
  /** What has to decide, for the count to be what the middleware takes it for. */
  readonly algorithm: Algorithm;
}

/**
 * Opens a bucket of a rate that the middleware asks for, in a store of yours:
 * `(rates, options) => new RedisBucket(client, rates, options)`. It may answer by a promise.
 *
 * It is called once for each window. Give all of the buckets the same name: none of them
 * shares a cell with one of another rate.
 */
export type OpenBucket = (rates: Rate, options: OpenBucketOptions) => Soon<AbstractBucket<Mode>>;

/** The bucket that is asked for. */
interface Wanted {
  readonly rate: Rate;
  readonly algorithm: Algorithm;
  /** Names of the algorithms that serve as well. */
  readonly fitting?: readonly string[];
}

/** A bucket that may take time to open; one that did not open is tried again by who asks next. */
export class OpenedBucket {
  readonly #open: () => Soon<Limiter<Mode>>;
  #limiter: Soon<Limiter<Mode>> | undefined;

  constructor(open: OpenBucket, wanted: Wanted) {
    const { rate, algorithm } = wanted;
    this.#open = () => whenThere(open(rate, { algorithm }), (bucket) => new Limiter(checkBucket(bucket, wanted)));
    this.#limiter = this.#start();
  }

  /** Asks the limiter over the bucket, which has it swept in the background. */
  ask<T>(question: (limiter: Limiter<Mode>) => Soon<T>): Soon<T> {
    this.#limiter ??= this.#start();
    return whenThere(this.#limiter, question);
  }

  /** Closes the bucket. */
  close(): Soon<void> {
    const limiter = this.#limiter;
    if (!(limiter instanceof Promise)) return limiter?.close();
    return limiter.then(
      (opened) => opened.close(),
      () => undefined,
    );
  }

  #start(): Soon<Limiter<Mode>> {
    const limiter = this.#open();
    if (limiter instanceof Promise) {
      limiter.catch(() => {
        this.#limiter = undefined;
      });
    }
    return limiter;
  }
}

/** Checks that a store was given a function that opens buckets. */
export function checkOpen(open: OpenBucket): OpenBucket {
  if (typeof open === "function") return open;
  throw new TypeError(
    `Cannot open buckets by a value of type ${typeof open}: pass a function such as (rates, options) => new InMemoryBucket(rates, options).`,
  );
}

/** Checks that a bucket is the one that was asked for: with another rate, what it has left would be no count. */
function checkBucket<M extends Mode>(bucket: AbstractBucket<M>, wanted: Wanted): AbstractBucket<M> {
  const { rate, algorithm, fitting = [algorithm.name] } = wanted;
  const found = bucket.rates.join(", ");
  if (found === String(rate) && fitting.includes(bucket.algorithm.name)) return bucket;
  throw new RangeError(
    `Cannot count in ${bucket.algorithm.name} of ${found}: the middleware asked for ${algorithm.name} of ${rate}. Hand on what the function is called with, as in (rates, options) => new InMemoryBucket(rates, options).`,
  );
}
