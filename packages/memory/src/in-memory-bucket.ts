import {
  AbstractBucket,
  type AbstractClock,
  type Booked,
  type BucketOptions,
  cancel,
  copyState,
  type Decision,
  type Entry,
  isFresh,
  MonotonicClock,
  type Operation,
  operate,
  type Rate,
  type RatesLike,
  reserve,
  type Snapshot,
  type State,
  sameState,
  toMicroseconds,
  writeState,
} from "@sluice/core";
import { Table } from "./table.js";

/** What an {@link InMemoryBucket} can be told. */
export interface InMemoryBucketOptions extends BucketOptions {
  /** Where the time comes from; a {@link MonotonicClock} when left out. */
  readonly clock?: AbstractClock;
  /** How many keys are held at most; a million when left out. */
  readonly maxKeys?: number;
}

const DEFAULT_MAX_KEYS = 1_000_000;
/** Cells that a sweep looks at between two looks at the clock. */
const SWEEP_STRIDE = 64;

/**
 * A bucket in the memory of this process: answers at once.
 *
 * The state of a key is a few numbers in a typed array, 16 bytes for a token bucket with
 * one rate; the log keeps 16 bytes for each item besides. There is no timer a key. Cells
 * that are as good as new are dropped by `leak()`, in the background by the limiter that
 * holds the bucket, and when room is needed. Beyond `maxKeys` the coldest key makes room
 * and `evictions` counts it: a key that was evicted starts anew.
 *
 * @example
 * ```ts
 * import { tokenBucket } from "@sluice/core";
 * import { InMemoryBucket } from "@sluice/memory";
 *
 * const bucket = new InMemoryBucket(["10/s", "100/min"], { algorithm: tokenBucket, maxKeys: 50_000 });
 * const decision = bucket.put({ key: "ada" });
 * decision.allowed; // => true
 * decision.remaining; // => 9
 * bucket.size; // => 1
 * ```
 */
export class InMemoryBucket extends AbstractBucket<"sync"> {
  declare readonly clock: AbstractClock;
  /** How many keys are held at most. */
  readonly maxKeys: number;
  readonly #options: InMemoryBucketOptions;
  readonly #table: Table;
  /** Counts for this bucket and those that it is reopened as. */
  #evictions = { count: 0 };
  readonly #stopwatch = new MonotonicClock();

  constructor(rates: RatesLike, options: InMemoryBucketOptions = {}) {
    super("sync", rates, options);
    this.maxKeys = checkMaxKeys(options.maxKeys ?? DEFAULT_MAX_KEYS);
    this.#options = { ...options, algorithm: this.algorithm, clock: this.clock, maxKeys: this.maxKeys };
    this.#table = new Table(this._kernel, this.maxKeys, () => this.#evictions.count++);
  }

  /** How many keys are held, those included that are as good as new and not yet dropped. */
  get size(): number {
    return this._generations.reduce((sum, bucket) => sum + (bucket as InMemoryBucket).#table.size, 0);
  }

  /** How many keys lost units that counted, to make room for others. */
  get evictions(): number {
    return this.#evictions.count;
  }

  protected override _apply(operation: Operation, { key, weight, at }: Entry): Decision {
    const now = at ?? this._now();
    const table = this.#table;
    const state = table.find(key);
    if (state !== undefined) return operate(this._kernel, operation, state, now, weight);
    return operate(this._kernel, operation, table.blank, now, weight, () => table.add(key, now));
  }

  protected override _tryPut(key: string, weight: number): boolean {
    if (weight === 0) return true;
    const now = this._now();
    let state = this.#table.find(key);
    if (state === undefined) {
      if (weight > this._capacity) return false;
      state = this.#table.add(key, now);
    }
    // One call for new keys and known ones: of two, the engine would not inline all the way.
    return this._kernel.admit(state, now, weight);
  }

  protected override _reserve({ key, weight, at }: Entry, maxWait: number): Booked {
    const now = at ?? this._now();
    const state = this.#table.find(key);
    if (state !== undefined) return reserve(this._kernel, state, now, weight, maxWait);
    return reserve(this._kernel, this.#table.blank, now, weight, maxWait, () => this.#table.add(key, now));
  }

  protected override _cancel({ key, weight, at }: Entry, booked: number, number: number): Decision {
    const now = at ?? this._now();
    return cancel(this._kernel, this.#table.find(key) ?? this.#table.blank, now, weight, booked, number);
  }

  protected override _read(key: string): Snapshot {
    return { now: this._now(), state: copyState(this._kernel, this.#table.find(key) ?? this.#table.blank) };
  }

  protected override _reopen(rates: readonly Rate[]): InMemoryBucket {
    const bucket = new InMemoryBucket(rates, this.#options);
    bucket.#evictions = this.#evictions;
    return bucket;
  }

  protected override _exchange(key: string, from: State, to: State): boolean {
    const table = this.#table;
    if (!sameState(this._kernel, table.find(key) ?? table.blank, from)) return false;
    table.delete(key);
    if (!isFresh(this._kernel, to)) writeState(this._kernel, table.add(key, this._now()), to);
    return true;
  }

  protected override _retire(): void {
    this.#table.clear();
  }

  protected override _leak(at: number | undefined): number {
    return this.#table.leak(at ?? this._now());
  }

  protected override _sweep(budget: number): boolean {
    const end = this.#stopwatch.now() + budget;
    let seen = 0;
    const pause = () => ++seen % SWEEP_STRIDE === 0 && this.#stopwatch.now() >= end;
    return !this.#table.sweep(this._now(), pause).done;
  }

  protected override _flush(key: string | undefined): void {
    if (key === undefined) this.#table.clear();
    else this.#table.delete(key);
  }

  protected override _now(): number {
    return toMicroseconds(this.clock.now());
  }

  protected override _close(): void {
    this.#table.clear();
  }
}

function checkMaxKeys(maxKeys: number): number {
  if (Number.isSafeInteger(maxKeys) && maxKeys >= 1) return maxKeys;
  if (typeof maxKeys !== "number") {
    throw new TypeError(
      `Cannot hold at most ${JSON.stringify(maxKeys)} keys: maxKeys is a number. Leave it out for a million.`,
    );
  }
  throw new RangeError(
    `Cannot hold at most ${String(maxKeys)} keys: maxKeys is a whole number, 1 or more. Leave it out for a million.`,
  );
}
