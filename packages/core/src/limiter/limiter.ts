/**
 * The limiter: what users hold.
 *
 * @module
 */
import { AbstractBucket, type Booking } from "../abstract-bucket.js";
import type { Operation } from "../algorithms/operate.js";
import { atLeast0 } from "../check-number.js";
import { checkOptions } from "../check-options.js";
import type { Decision } from "../decision.js";
import { LimiterError, RateLimitExceededError } from "../errors.js";
import { BucketFactory, type BucketOf } from "../factory/bucket-factory.js";
import { SingleBucketFactory } from "../factory/single-bucket-factory.js";
import { inTime } from "../in-time.js";
import { checkKey, checkWeight, type RateItem, SHARED_KEY } from "../item.js";
import { andThen, failed, inOrder, lift, type Mode, type Outcome, whenSettled } from "../mode.js";
import { describe } from "../rate.js";
import { Bookings } from "./bookings.js";
import { Lines } from "./lines.js";
import type { AcquireOptions, LimiterOptions, ReserveOptions } from "./options.js";
import { Reservation } from "./reservation.js";
import { Waiter } from "./waiter.js";
import { limitedFunction, type OnLimited, type WrapOptions, type Wrappable, type Wrapped } from "./wrap.js";

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
  readonly #lines = new Map<AbstractBucket<Mode>, Lines | Bookings>();
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

  /** Takes the units if they are there, and says whether they were; never waits. No key is the key `"default"`. */
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
    return this.#onBucket("refund", key, weight);
  }

  /** Forgets one key, or all keys when none is named: they start anew. */
  flush(key?: string): Outcome<M, void> {
    if (key !== undefined) {
      return this.#onItem<void>("flush", key, 0, (bucket, item) =>
        this.#thenServe(bucket, item.key, bucket.flush(item.key)),
      );
    }
    const flushed = inOrder<M, BucketOf<M>, void>(this.mode, this.buckets(), (bucket) =>
      lift(this.mode, this.#thenServe(bucket, undefined, bucket.flush())),
    );
    return andThen<M, void[], void>(this.mode, flushed, () => undefined);
  }

  /**
   * Waits until the units are there and takes them, first come, first served for each key.
   *
   * No key waits behind another. Rejects at once with {@link RateLimitExceededError} when
   * the deadline cannot be met or the weight can never fit, and with {@link LimiterError}
   * `QUEUE_FULL` when `maxQueue` wait already. Who gives up, by `timeout` or `signal`, is
   * not charged. While waiting, the bucket's clock decides the time, whatever the factory stamps;
   * with an async route, callers stand in line in the order in which their routes answered.
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
      const {
        weight = 1,
        timeout = Number.POSITIVE_INFINITY,
        signal,
      } = checkOptions("acquire", options, "acquire(key, { weight: 2 })");
      atLeast0("timeout", timeout);
      const waiter = new Waiter(weight, timeout, signal, resolve, reject);
      const place = this.#locate("acquire", key, weight);
      if (!(place instanceof Promise)) {
        this.#join(place, waiter, timeout);
        return;
      }
      const rule = `the route did not answer within the timeout of ${timeout} ms. Allow more time.`;
      const late = () => new LimiterError("TIMEOUT", `Cannot wait for ${describe(key)}: ${rule}`);
      inTime(place, timeout, signal, late).then(([found, left]) => this.#join(found, waiter, left), reject);
    });
  }

  /**
   * Books units ahead: the earliest admission, after all that were booked before, in one
   * operation of the store. Whoever books must wait for `delay` before using them.
   *
   * @throws RateLimitExceededError when the wait would be longer than `maxWait`, and
   *   nothing is booked; RangeError for an algorithm or a store that cannot book: the token
   *   bucket, the leaky bucket and the log can.
   *
   * @example
   * ```ts
   * import { Limiter, ManualClock, tokenBucket } from "@sluice/core";
   * import { InMemoryBucket } from "@sluice/memory";
   *
   * using limiter = new Limiter(new InMemoryBucket("10/s", { algorithm: tokenBucket, clock: new ManualClock() }));
   * limiter.reserve("ada", 10).delay; // => 0
   * const reservation = limiter.reserve("ada", 4, { maxWait: 1000 });
   * reservation.delay; // => 400
   * reservation.commit(3); // one unit was not needed
   * limiter.reserve("ada").delay; // => 400
   * ```
   */
  reserve(key: string = SHARED_KEY, weight = 1, options: ReserveOptions = {}): Outcome<M, Reservation<M>> {
    return this.#onItem("reserve", key, weight, (bucket, item) => {
      const { maxWait = Number.POSITIVE_INFINITY } = checkOptions(
        "reserve",
        options,
        "reserve(key, 2, { maxWait: 1000 })",
      );
      const booking: Booking | Promise<Booking> = bucket.reserve(item, maxWait);
      const hold = (booked: Booking) => {
        const { decision } = booked;
        const { key } = item;
        const serve = () => this.#lines.get(bucket)?.refresh(key);
        if (decision.allowed) return new Reservation<M>(bucket as AbstractBucket<M>, key, weight, booked, serve);
        throw new RateLimitExceededError({ limiter: this.name, key: item.key, weight, decision }, maxWait);
      };
      return booking instanceof Promise ? booking.then(hold) : hold(booking);
    });
  }

  /** Whether `reserve` can book: whether all its buckets can. */
  get reserves(): boolean {
    return this.buckets().every((bucket: AbstractBucket<Mode>) => bucket.reserves);
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
    options: WrapOptions<T, A, O> = {},
  ): (this: T, ...args: A) => Wrapped<R, O> {
    return limitedFunction(this, fn, options);
  }

  /** How many callers wait in {@link acquire}, over all keys. */
  get waiting(): number {
    return [...this.#lines.values()].reduce((sum, lines) => sum + lines.waiting, 0);
  }

  /** The buckets behind the limiter. */
  buckets(): readonly BucketOf<M>[] {
    return this.#factory.buckets();
  }

  /** Closes one bucket and turns away those who wait for it; says whether it was one of this limiter's. */
  dispose(bucket: BucketOf<M>): Outcome<M, boolean> {
    if (!this.buckets().includes(bucket)) return lift(this.mode, false);
    const idle = this.#turnAway(bucket, "the bucket was disposed of");
    return andThen<M, void, boolean>(this.mode, this.#once(idle), () => this.#factory.dispose(bucket));
  }

  /**
   * Turns away those who wait, lets the store answer for those it was asked for, so that
   * they are not charged, and closes the buckets. Further calls of it do nothing.
   */
  close(): Outcome<M, void> {
    this.#closed = true;
    const idle = [...this.#lines.keys()].flatMap((bucket) => this.#turnAway(bucket, "the limiter was closed"));
    return andThen<M, void, void>(this.mode, this.#once(idle), () => this.#factory.close());
  }

  /** Closes the limiter at the end of a `using` block. */
  [Symbol.dispose](this: Limiter<"sync">): void {
    this.close();
  }

  /** Closes the limiter at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Once units have come back, lets those who wait for the key (or for any key of the bucket) ask again. */
  #thenServe<T>(bucket: BucketOf<M>, key: string | undefined, given: T | Promise<T>): T | Promise<T> {
    if (!this.#lines.has(bucket)) return given;
    const serve = (value: T) => {
      this.#lines.get(bucket)?.refresh(key);
      return value;
    };
    return given instanceof Promise ? given.then(serve) : serve(given);
  }

  /** An outcome for when all of these have come; there are none in mode `"sync"`. */
  #once(idle: readonly Promise<unknown>[]): Outcome<M, void> {
    return lift<M, void>(this.mode, idle.length === 0 ? undefined : Promise.all(idle).then(() => undefined));
  }

  #onBucket(operation: Operation, key: string, weight: number): Outcome<M, Decision> {
    if (this.#single !== undefined && operation !== "refund") return this.#single[operation]({ key, weight });
    return this.#onItem(operation, key, weight, (bucket, item) => {
      const decision: Decision | Promise<Decision> = bucket[operation](item);
      return operation === "refund" ? this.#thenServe(bucket, item.key, decision) : decision;
    });
  }

  #onItem<T>(
    action: string,
    key: string,
    weight: number,
    act: (bucket: BucketOf<M>, item: RateItem) => T | Promise<T>,
  ): Outcome<M, T> {
    const onPlace = ([bucket, item]: Located<M>) => act(bucket, item);
    try {
      const place = this.#locate(action, key, weight);
      return lift(this.mode, place instanceof Promise ? place.then(onPlace) : onPlace(place));
    } catch (error) {
      return failed(this.mode, error);
    }
  }

  /** The bucket that an item belongs to, and the item as the factory makes it: at once, where no route has to be asked. */
  #locate(action: string, key: string, weight: number): Located<M> | Promise<Located<M>> {
    this.#checkOpen();
    checkKey(action, key);
    checkWeight(action, weight, key);
    if (this.#single !== undefined) return [this.#single as BucketOf<M>, { key, weight }];
    return andThen<M, RateItem, Located<M>>(this.mode, this.#factory.wrapItem(key, weight), (item) =>
      andThen<M, BucketOf<M>, Located<M>>(this.mode, this.#factory.get(item), (bucket) => {
        // It may have been closed while the route was asked.
        this.#checkOpen();
        return [bucket, item];
      }),
    );
  }

  #checkOpen(): void {
    if (this.#closed) throw new LimiterError("CLOSED", `Cannot use "${this.name}": it is closed. Make a new limiter.`);
  }

  #linesOf(bucket: AbstractBucket<Mode>): Lines | Bookings {
    let lines = this.#lines.get(bucket);
    if (lines === undefined) {
      const settings = { bucket, name: this.name, buffer: this.#buffer, maxQueue: this.#maxQueue };
      // The lines of a bucket that may go before the limiter does must not hold it.
      const onEmpty = () => {
        if (bucket === this.#single) return;
        this.#lines.delete(bucket);
        stopListening();
      };
      const made = booksAhead(bucket) ? new Bookings(bucket, settings, onEmpty) : new Lines(settings, onEmpty);
      const stopListening = bucket.onReplaceRates((share) => made.rejudge(share));
      this.#lines.set(bucket, made);
      lines = made;
    }
    return lines;
  }

  /** Lets a waiter join its line, with so many milliseconds left of its timeout. */
  #join([bucket, item]: Located<M>, waiter: Waiter, left: number): void {
    if (waiter.signal?.aborted) {
      waiter.reject(waiter.signal.reason);
      return;
    }
    if (left !== Number.POSITIVE_INFINITY) waiter.deadline = bucket.clock.elapsed() + left;
    if (waiter.weight > bucket.capacity) this.#refuseForEver(bucket, item, waiter);
    else this.#linesOf(bucket).join(item.key, waiter);
  }

  /** Rejects a weight that no wait can help, without making it wait in line to hear so. */
  #refuseForEver(bucket: AbstractBucket<Mode>, item: RateItem, { weight, timeout, reject }: Waiter): void {
    const refuse = (decision: Decision) =>
      reject(new RateLimitExceededError({ limiter: this.name, key: item.key, weight, decision }, timeout));
    whenSettled(bucket.mode, () => bucket.peek(item), refuse, reject);
  }

  #turnAway(bucket: AbstractBucket<Mode>, why: string): Promise<unknown>[] {
    const lines = this.#lines.get(bucket);
    this.#lines.delete(bucket);
    if (lines === undefined) return [];
    return lines.close(new LimiterError("CLOSED", `Cannot wait in "${this.name}" any longer: ${why}.`));
  }
}

/** A bucket, and the item to put there. */
type Located<M extends Mode> = [bucket: BucketOf<M>, item: RateItem];

/** Whether a bucket is one that waiters book their units of: it is shared, and keeps their order among all who share it. */
function booksAhead(bucket: AbstractBucket<Mode>): bucket is AbstractBucket<"async"> {
  return bucket.mode === "async" && bucket.reserves;
}

/** The one bucket behind a target that sends every item there as it is; `undefined` where a factory may do more. */
function bucketOfAll<M extends Mode>(target: AbstractBucket<M> | BucketFactory<M>): AbstractBucket<M> | undefined {
  if (target instanceof AbstractBucket) return target;
  return target instanceof SingleBucketFactory && target.constructor === SingleBucketFactory
    ? target.bucket
    : undefined;
}
