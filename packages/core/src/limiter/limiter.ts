/**
 * The limiter: what users hold.
 *
 * @module
 */
import { AbstractBucket } from "../abstract-bucket.js";
import { smallestCapacity } from "../algorithms/operate.js";
import type { Decision } from "../decision.js";
import { LimiterError, RateLimitExceededError } from "../errors.js";
import { BucketFactory, type BucketOf } from "../factory/bucket-factory.js";
import { SingleBucketFactory } from "../factory/single-bucket-factory.js";
import { checkKey, checkWeight, type RateItem, SHARED_KEY } from "../item.js";
import { andThen, inOrder, lift, type Mode, type Outcome, whenSettled } from "../mode.js";
import { describe } from "../rate.js";
import { Lines } from "./lines.js";
import { type AbortSignalLike, Waiter } from "./waiter.js";
import { limitedFunction, type OnLimited, type WrapOptions, type Wrappable, type Wrapped } from "./wrap.js";

/** What a limiter can be told. */
export interface LimiterOptions {
  /** Its name in errors; `"limiter"` when left out. */
  readonly name?: string;
  /** How many may wait for one key at a time; no bound when left out. */
  readonly maxQueue?: number;
  /**
   * Milliseconds added to each wait, 0 when left out: for those who limit themselves
   * against somebody else's clock, which may run behind.
   */
  readonly buffer?: number;
}

/** How {@link Limiter.acquire} waits. */
export interface AcquireOptions {
  /** Units to take; 1 when left out. */
  readonly weight?: number;
  /** Milliseconds to wait at most; any time when left out. */
  readonly timeout?: number;
  /** Ends the wait; the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignalLike;
}

/**
 * Limits how often things happen, for each key on its own.
 *
 * A limiter over a sync bucket answers at once, one over an async bucket by promises, and
 * the types say which. A denial is a value; only a broken store or a wrong call throws.
 *
 * @example
 * ```ts
 * import { Limiter } from "@sluice/core";
 * import { InMemoryBucket } from "@sluice/memory";
 *
 * using limiter = new Limiter(new InMemoryBucket("2/min"), { name: "sign-in" });
 * limiter.tryAcquire("ada"); // => true
 * limiter.tryAcquire("ada"); // => true
 * limiter.tryAcquire("ada"); // => false
 * limiter.tryAcquire("bob"); // => true
 * ```
 */
export class Limiter<M extends Mode = "sync"> {
  /** Its name in errors. */
  readonly name: string;
  /** Whether it answers at once or by promises. */
  readonly mode: M;
  readonly #factory: BucketFactory<M>;
  /** The bucket of all items, where there is only one: spares the way through the factory. */
  readonly #single: AbstractBucket<M> | undefined;
  readonly #lines = new Map<AbstractBucket<Mode>, Lines>();
  readonly #maxQueue: number;
  readonly #buffer: number;
  #closed = false;

  /** @param target A bucket for all items, or a factory that says which bucket an item belongs to. */
  constructor(target: AbstractBucket<M> | BucketFactory<M>, options: LimiterOptions = {}) {
    if (!(target instanceof AbstractBucket) && !(target instanceof BucketFactory)) {
      const hint = 'For a rate such as "100/min", call createLimiter from the package sluice.';
      throw new TypeError(`Cannot limit by ${describe(target)}: pass a bucket or a bucket factory. ${hint}`);
    }
    this.#factory = target instanceof BucketFactory ? target : new SingleBucketFactory<M>(target);
    this.#single = bucketOfAll(target);
    this.mode = target.mode;
    this.name = options.name ?? "limiter";
    this.#maxQueue = atLeast0("maxQueue", options.maxQueue ?? Number.POSITIVE_INFINITY);
    this.#buffer = atLeast0("buffer", options.buffer ?? 0);
  }

  /** Takes the units if they are there, and says whether they were; never waits. */
  tryAcquire(key: string = SHARED_KEY, weight = 1): Outcome<M, boolean> {
    if (this.#single !== undefined) return this.#single.tryPut(key, weight);
    return andThen(this.mode, this.consume(key, weight), (decision: Decision) => decision.allowed);
  }

  /** As {@link tryAcquire}, with the whole {@link Decision}. */
  consume(key: string = SHARED_KEY, weight = 1): Outcome<M, Decision> {
    return this.#onBucket("put", key, weight);
  }

  /** Answers as {@link consume} would, and takes nothing. */
  peek(key: string = SHARED_KEY, weight = 1): Outcome<M, Decision> {
    return this.#onBucket("peek", key, weight);
  }

  /** Takes the units without asking, into debt where they do not fit: for work already done. */
  charge(key: string = SHARED_KEY, weight = 1): Outcome<M, Decision> {
    return this.#onBucket("charge", key, weight);
  }

  /** Gives units back, never above full; who waits for them is served at once. */
  refund(key: string = SHARED_KEY, weight = 1): Outcome<M, Decision> {
    return this.#thenServe(key, this.#onBucket("refund", key, weight));
  }

  /** Forgets one key, or all keys when none is named: they start anew. */
  flush(key?: string): Outcome<M, void> {
    return this.#thenServe(key, this.#flush(key));
  }

  /**
   * Waits until the units are there and takes them, first come, first served for each key.
   *
   * No key waits behind another. Rejects at once with {@link RateLimitExceededError} when
   * the deadline cannot be met or the weight can never fit, and with {@link LimiterError}
   * `QUEUE_FULL` when `maxQueue` wait already. Who gives up, by `timeout` or `signal`, is
   * not charged. While waiting, the bucket's clock decides the time, whatever the factory stamps.
   *
   * @example
   * ```ts
   * import { Limiter } from "@sluice/core";
   * import { InMemoryBucket } from "@sluice/memory";
   *
   * using limiter = new Limiter(new InMemoryBucket("1/50ms"));
   * await limiter.acquire("ada");
   * const decision = await limiter.acquire("ada", { timeout: 5000 }); // about 50 ms later
   * decision.allowed; // => true
   * ```
   */
  acquire(key: string = SHARED_KEY, options: AcquireOptions = {}): Promise<Decision> {
    return new Promise((resolve, reject) => {
      const { weight = 1, timeout = Number.POSITIVE_INFINITY, signal } = options;
      atLeast0("timeout", timeout);
      const join = (bucket: AbstractBucket<Mode>, item: RateItem) => {
        if (signal?.aborted) {
          reject(signal.reason);
          return;
        }
        const deadline = bucket.clock.elapsed() + timeout;
        const waiter = new Waiter(weight, timeout, deadline, signal, resolve, reject);
        if (weight > smallestCapacity(bucket.kernel)) this.#refuseForEver(bucket, item, waiter);
        else this.#linesOf(bucket).join(item.key, waiter);
      };
      if (this.#single !== undefined) {
        this.#checkCall(key, weight);
        join(this.#single, { key, weight });
        return;
      }
      whenSettled(
        this.mode,
        () => this.#locate(key, weight),
        ([bucket, item]) => join(bucket, item),
        reject,
      );
    });
  }

  /**
   * A function that does what `fn` does, within the limit; a call that is not admitted never runs.
   *
   * Where the limiter is async, or calls wait, `fn` must give a promise: anything else is a
   * compile error.
   *
   * @example
   * ```ts
   * import { Limiter } from "@sluice/core";
   * import { InMemoryBucket } from "@sluice/memory";
   *
   * using limiter = new Limiter(new InMemoryBucket("1/min"));
   * const greet = limiter.wrap((name: string) => `Hello ${name}`, { key: (name) => name, onLimited: "skip" });
   * greet("Ada"); // => "Hello Ada"
   * greet("Ada"); // => undefined
   * greet("Bob"); // => "Hello Bob"
   * ```
   */
  wrap<T, A extends unknown[], R extends Wrappable<M, O>, O extends OnLimited = "throw">(
    fn: (this: T, ...args: A) => R,
    options: WrapOptions<A, O> = {},
  ): (this: T, ...args: A) => Wrapped<R, O> {
    return limitedFunction(this, fn, options);
  }

  /** The buckets behind the limiter. */
  buckets(): readonly BucketOf<M>[] {
    return this.#factory.buckets();
  }

  /** Closes one bucket and turns away those who wait for it; says whether it was one of this limiter's. */
  dispose(bucket: BucketOf<M>): Outcome<M, boolean> {
    this.#turnAway(bucket, `the bucket was disposed of`);
    return this.#factory.dispose(bucket);
  }

  /** Turns away those who wait, and closes the buckets. Further calls of it do nothing. */
  close(): Outcome<M, void> {
    this.#closed = true;
    for (const bucket of [...this.#lines.keys()]) this.#turnAway(bucket, "the limiter was closed");
    return this.#factory.close();
  }

  /** Closes the limiter at the end of a `using` block. */
  [Symbol.dispose](this: Limiter<"sync">): void {
    this.close();
  }

  /** Closes the limiter at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #flush(key: string | undefined): Outcome<M, void> {
    if (this.#single !== undefined) return this.#single.flush(key);
    if (key !== undefined) return this.#onItem<void>(key, 0, (bucket, item) => bucket.flush(item.key));
    const flushed = inOrder<M, BucketOf<M>, void>(this.mode, this.buckets(), (bucket) =>
      lift(this.mode, bucket.flush()),
    );
    return andThen<M, void[], void>(this.mode, flushed, () => undefined);
  }

  /** Once units have come back, lets those who wait for the key (or for any) ask again. */
  #thenServe<T>(key: string | undefined, outcome: Outcome<M, T>): Outcome<M, T> {
    if (this.#lines.size === 0) return outcome;
    return andThen<M, T, T>(this.mode, outcome, (value) => {
      for (const lines of this.#lines.values()) lines.refresh(key);
      return value;
    });
  }

  #onBucket(operation: "put" | "peek" | "charge" | "refund", key: string, weight: number): Outcome<M, Decision> {
    if (this.#single !== undefined) return this.#single[operation]({ key, weight });
    return this.#onItem(key, weight, (bucket, item) => bucket[operation](item));
  }

  #onItem<T>(key: string, weight: number, act: (bucket: BucketOf<M>, item: RateItem) => T | Promise<T>): Outcome<M, T> {
    return andThen<M, [BucketOf<M>, RateItem], T>(this.mode, this.#locate(key, weight), ([bucket, item]) =>
      lift(this.mode, act(bucket, item)),
    );
  }

  /** The item that the factory makes, and the bucket it belongs to. */
  #locate(key: string, weight: number): Outcome<M, [BucketOf<M>, RateItem]> {
    return andThen<M, void, [BucketOf<M>, RateItem]>(this.mode, lift(this.mode, undefined), () => {
      this.#checkCall(key, weight);
      return andThen<M, RateItem, [BucketOf<M>, RateItem]>(this.mode, this.#factory.wrapItem(key, weight), (item) =>
        andThen<M, BucketOf<M>, [BucketOf<M>, RateItem]>(this.mode, this.#factory.get(item), (bucket) => [
          bucket,
          item,
        ]),
      );
    });
  }

  #checkCall(key: string, weight: number): void {
    if (this.#closed) throw new LimiterError("CLOSED", `Cannot use "${this.name}": it is closed. Make a new limiter.`);
    checkKey("limit", key);
    checkWeight("acquire", weight, key);
  }

  #linesOf(bucket: AbstractBucket<Mode>): Lines {
    let lines = this.#lines.get(bucket);
    if (lines === undefined) {
      lines = new Lines({ bucket, name: this.name, buffer: this.#buffer, maxQueue: this.#maxQueue });
      this.#lines.set(bucket, lines);
    }
    return lines;
  }

  /** Rejects a weight that no wait can help, without making it wait in line to hear so. */
  #refuseForEver(bucket: AbstractBucket<Mode>, item: RateItem, { weight, timeout, reject }: Waiter): void {
    const refuse = (decision: Decision) =>
      reject(new RateLimitExceededError({ limiter: this.name, key: item.key, weight, decision }, timeout));
    whenSettled(bucket.mode, () => bucket.peek(item), refuse, reject);
  }

  #turnAway(bucket: AbstractBucket<Mode>, why: string): void {
    const lines = this.#lines.get(bucket);
    this.#lines.delete(bucket);
    lines?.close(new LimiterError("CLOSED", `Cannot wait in "${this.name}" any longer: ${why}.`));
  }
}

/** The one bucket behind a target that sends every item there as it is; `undefined` where a factory may do more. */
function bucketOfAll<M extends Mode>(target: AbstractBucket<M> | BucketFactory<M>): AbstractBucket<M> | undefined {
  if (target instanceof AbstractBucket) return target;
  return target instanceof SingleBucketFactory && target.constructor === SingleBucketFactory
    ? target.bucket
    : undefined;
}

function atLeast0(name: string, value: number): number {
  if (typeof value === "number" && value >= 0) return value;
  throw new RangeError(
    `Cannot use ${describe(value)} as ${name}: it is a number, 0 or more. Leave it out for the default.`,
  );
}
