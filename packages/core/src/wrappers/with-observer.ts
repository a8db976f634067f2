import type { AbstractBucket } from "../abstract-bucket.js";
import type { Booked, Operation } from "../algorithms/operate.js";
import { systemElapsed } from "../clock/system-timer.js";
import type { Decision } from "../decision.js";
import type { Entry } from "../item.js";
import { andThen, type Mode, type Outcome, seen } from "../mode.js";
import { describe } from "../rate.js";
import { evictionsOf, WrapperBucket } from "./wrapper-bucket.js";

/** What is done to a bucket; see the methods of the same names. */
export type ObservedOperation = Operation | "reserve" | "cancel";

/** One operation that a bucket answered. */
export interface DecisionEvent {
  /** What was done. */
  readonly operation: ObservedOperation;
  /** Whose units they are. */
  readonly key: string;
  /** Units that were asked for. */
  readonly weight: number;
  /** The answer. */
  readonly decision: Decision;
  /** How many milliseconds the bucket took. */
  readonly duration: number;
}

/** One operation that a bucket failed to answer. */
export interface ErrorEvent {
  /** What was asked. */
  readonly operation: ObservedOperation;
  /** Whose units they are. */
  readonly key: string;
  /** Units that were asked for. */
  readonly weight: number;
  /** What the bucket threw. */
  readonly error: unknown;
  /** How many milliseconds it took. */
  readonly duration: number;
}

/**
 * Who wants to know what a bucket does. What it throws goes to whoever asked the bucket, save
 * from `onError`: there the bucket's own error does, and what the listener throws is dropped.
 */
export interface BucketListener {
  /** After each put, peek, charge, refund, reserve and cancel. */
  onDecision?(event: DecisionEvent): void;
  /** After each of them that failed. */
  onError?(event: ErrorEvent): void;
  /** When keys lost units that counted to make room for others: how many, since the last time. */
  onEviction?(count: number): void;
}

const CALLBACKS = ["onDecision", "onError", "onEviction"] as const;

/**
 * Tells a listener what a bucket does: decisions and how long they took, errors, evictions.
 *
 * Where the listener listens to nothing, the bucket is given back as it is, at no cost.
 *
 * @throws TypeError for a listener that is no object, or a callback that is no function.
 *
 * @example
 * ```ts
 * import { Limiter, withObserver } from "@sluice/core";
 * import { InMemoryBucket } from "@sluice/memory";
 *
 * let refused = 0;
 * const bucket = withObserver(new InMemoryBucket("1/min"), {
 *   onDecision: ({ decision }) => (refused += decision.allowed ? 0 : 1),
 * });
 * using limiter = new Limiter(bucket);
 * limiter.tryAcquire("ada"); // => true
 * limiter.tryAcquire("ada"); // => false
 * refused; // => 1
 * ```
 */
export function withObserver<M extends Mode>(
  bucket: AbstractBucket<M>,
  listener: BucketListener | undefined,
): AbstractBucket<M> {
  if (listener === undefined) return bucket;
  checkListener(listener);
  return CALLBACKS.every((name) => listener[name] === undefined) ? bucket : new ObservedBucket(bucket, listener);
}

class ObservedBucket<M extends Mode> extends WrapperBucket<M> {
  readonly #listener: BucketListener;
  #evictions = 0;

  constructor(bucket: AbstractBucket<M>, listener: BucketListener) {
    super(bucket);
    this.#listener = listener;
    this.#evictions = evictionsOf(bucket);
  }

  protected override _apply(operation: Operation, entry: Entry): Outcome<M, Decision> {
    return this.#watch(
      operation,
      [entry],
      () => super._apply(operation, entry),
      (decision) => [decision],
    );
  }

  protected override _applyAll(operation: Operation, entries: readonly Entry[]): Outcome<M, Decision[]> {
    return this.#watch(
      operation,
      entries,
      () => super._applyAll(operation, entries),
      (decisions) => decisions,
    );
  }

  protected override _tryPut(key: string, weight: number): Outcome<M, boolean> {
    const decision = this._apply("put", { key, weight, at: undefined });
    return andThen(this.mode, decision, ({ allowed }: Decision) => allowed);
  }

  protected override _reserve(entry: Entry, maxWait: number): Outcome<M, Booked> {
    return this.#watch(
      "reserve",
      [entry],
      () => super._reserve(entry, maxWait),
      ({ decision }) => [decision],
    );
  }

  protected override _cancel(entry: Entry, at: number, number: number): Outcome<M, Decision> {
    return this.#watch(
      "cancel",
      [entry],
      () => super._cancel(entry, at, number),
      (decision) => [decision],
    );
  }

  #watch<T>(
    operation: ObservedOperation,
    entries: readonly Entry[],
    run: () => Outcome<M, T>,
    decisionsOf: (answer: T) => readonly Decision[],
  ): Outcome<M, T> {
    const start = systemElapsed();
    const onAnswer = (answer: T) => {
      const duration = systemElapsed() - start;
      for (const [i, decision] of decisionsOf(answer).entries()) {
        const { key, weight } = entries[i] as Entry;
        this.#listener.onDecision?.({ operation, key, weight, decision, duration });
      }
      this.#tellEvictions();
    };
    const onError = (error: unknown) => {
      const duration = systemElapsed() - start;
      for (const { key, weight } of entries) this.#tellError({ operation, key, weight, error, duration });
    };
    return seen(this.mode, run, onAnswer, onError);
  }

  #tellError(event: ErrorEvent): void {
    try {
      this.#listener.onError?.(event);
    } catch {
      // What the bucket threw is on its way to whoever asked it, and says more.
    }
  }

  #tellEvictions(): void {
    const evictions = evictionsOf(this._inner);
    if (evictions === this.#evictions) return;
    const count = evictions - this.#evictions;
    this.#evictions = evictions;
    this.#listener.onEviction?.(count);
  }
}

function checkListener(listener: BucketListener): void {
  if (typeof listener !== "object" || listener === null) {
    const name = typeof listener === "function" ? "a function" : describe(listener);
    throw new TypeError(
      `Cannot tell ${name} what a bucket does: pass an object such as { onDecision: (event) => {} }.`,
    );
  }
  for (const name of CALLBACKS) {
    const callback = listener[name];
    if (callback === undefined || typeof callback === "function") continue;
    throw new TypeError(`Cannot use ${describe(callback)} as ${name}: it is called with an event. Pass a function.`);
  }
}
