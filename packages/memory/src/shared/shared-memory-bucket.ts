import {
  AbstractBucket,
  type AbstractClock,
  type Algorithm,
  type Booked,
  type BucketOptions,
  cancel,
  copyState,
  type Decision,
  type Entry,
  LimiterError,
  MonotonicClock,
  type Operation,
  operate,
  type RatesLike,
  reserve,
  type Snapshot,
  type State,
  toMicroseconds,
} from "@sluice/core";
import { ratesOf, type SharedMemoryHandle } from "./handle.js";
import { createMemory, openMemory } from "./opening.js";
import { Seat } from "./seat.js";
import { HANDLES, type SharedMemory } from "./shared-memory.js";
import { SharedTable } from "./shared-table.js";

/** What a worker that attaches to a {@link SharedMemoryBucket} can tell. */
export interface SharedMemoryAttachOptions extends BucketOptions {
  /** What decides: one with a state of fixed size, which all but `slidingWindowLog` have; the same in all workers. */
  readonly algorithm: Algorithm;
  /** Where the time comes from; a {@link MonotonicClock} when left out. */
  readonly clock?: AbstractClock;
}

/** What a {@link SharedMemoryBucket} can be told. */
export interface SharedMemoryBucketOptions extends SharedMemoryAttachOptions {
  /** How many keys are held at most; a million when left out. Memory is taken as keys come. */
  readonly maxKeys?: number;
  /** Whether units can be booked ahead, by the token bucket and the leaky bucket: each key takes half a kilobyte more for it, and half a kilobyte for each rate. */
  readonly bookings?: boolean;
  /** How many workers hold the bucket at once, the one that creates it included; 256 when left out, 4,096 at most. */
  readonly maxWorkers?: number;
}

/** The number by which the creator holds its own seat. */
const CREATOR = 1;

/**
 * A bucket in memory that worker threads share: answers at once, and to all of them as one.
 *
 * One thread creates it and passes `share()` on; the others `attach`. There is no lock:
 * a decision becomes visible by one compare-and-swap or not at all. So no thread waits for
 * another, and one that is terminated in the middle of a decision has either made it or not.
 *
 * Holds `maxKeys` keys. Beyond, cells that are as good as new are dropped first, then the
 * key that would be so soonest out of a sample, and `evictions` counts it: it starts anew.
 * Keys are known by a 128-bit hash under a secret of the bucket (HalfSipHash-2-4, twice).
 *
 * Its rates cannot be replaced (`replaceRates`), since the other threads would not know:
 * create another bucket, and hand the threads its handle.
 *
 * Each thread reads its own clock. Monotonic clocks of threads agree unless the system's
 * time was set between their starts; where it is, pass a `SystemClock` in all of them.
 *
 * @example
 * ```ts
 * import { tokenBucket } from "@sluice/core";
 * import { SharedMemoryBucket } from "@sluice/memory";
 *
 * const bucket = new SharedMemoryBucket("10/s", { algorithm: tokenBucket, maxKeys: 50_000 });
 * const handle = bucket.share(); // in a worker: workerData
 * const other = SharedMemoryBucket.attach(handle, { algorithm: tokenBucket });
 * bucket.put({ key: "ada", weight: 4 }).remaining; // => 6
 * other.put({ key: "ada", weight: 4 }).remaining; // => 2
 * ```
 */
export class SharedMemoryBucket extends AbstractBucket<"sync"> {
  declare readonly clock: AbstractClock;
  readonly #memory: SharedMemory;
  readonly #table: SharedTable;
  readonly #stopwatch = new MonotonicClock();

  /**
   * @throws RangeError for an algorithm whose state has no fixed size.
   */
  constructor(rates: RatesLike, options: SharedMemoryBucketOptions);
  /** @internal What `attach` calls. */
  constructor(rates: RatesLike, options: SharedMemoryAttachOptions, handle: SharedMemoryHandle);
  constructor(rates: RatesLike, options: SharedMemoryBucketOptions, handle?: SharedMemoryHandle) {
    super("sync", rates, options);
    const { algorithm, kernel } = this;
    this.#memory =
      handle === undefined ? createMemory(algorithm, kernel, options) : openMemory(algorithm, kernel, handle.buffer);
    this.#table = new SharedTable(this.#memory, kernel, this.#takeSeat(handle?.id ?? CREATOR));
  }

  /**
   * The bucket that another thread shares, in this one.
   *
   * @throws RangeError when the algorithm is not that of the bucket; {@link LimiterError} with the code `STORE`
   *   when `maxWorkers` hold it already.
   */
  static attach(handle: SharedMemoryHandle, options: SharedMemoryAttachOptions): SharedMemoryBucket {
    return new SharedMemoryBucket(ratesOf(handle, options?.algorithm), options, handle);
  }

  /** A handle for another thread, or for several. Each call gives another, so that `reclaim` can tell who came by it. */
  share(): SharedMemoryHandle {
    const { algorithm, rates } = this;
    return {
      buffer: this.#memory.buffer,
      algorithm: algorithm.name,
      rates: rates.map(({ limit, interval, burst }) => ({ limit, interval, burst })),
      id: CREATOR + 1 + Atomics.add(this.#memory.ints, HANDLES, 1),
    };
  }

  /**
   * Lets others have what threads held that came by a handle and have ended without `close()`, as those that were
   * terminated have. Until then each of them counts towards `maxWorkers`.
   *
   * Call it when they have ended, as in `worker.once("exit", () => bucket.reclaim(handle))`, and not before: two
   * threads in one seat overwrite each other's cells.
   */
  reclaim(handle: SharedMemoryHandle): void {
    if (handle.buffer === this.#memory.buffer) Seat.clear(this.#memory, handle.id);
  }

  /** How many keys are held at most. */
  get maxKeys(): number {
    return this.#memory.plan.maxKeys;
  }

  /** How many keys are held by all threads together, those included that are as good as new and not yet dropped. */
  get size(): number {
    return this.#table.size;
  }

  /** How many keys lost units that counted, to make room for others. */
  get evictions(): number {
    return this.#table.evictions;
  }

  override get reserves(): boolean {
    return super.reserves && this.#memory.plan.room > 0;
  }

  protected override _replaceRates(): void {
    const way = "Create another bucket, and hand the threads its handle.";
    throw new RangeError(`Cannot replace the rates of a SharedMemoryBucket: other threads would not know. ${way}`);
  }

  protected override _apply(operation: Operation, { key, weight, at }: Entry): Decision {
    const now = at ?? this._now();
    return this.#inOneStep(key, now, (state, writable) =>
      operate(this.kernel, operation, state, now, weight, writable),
    );
  }

  protected override _tryPut(key: string, weight: number): boolean {
    if (weight === 0) return true;
    const now = this._now();
    const table = this.#table;
    const place = table.find(key);
    for (;;) {
      const admitted = this.kernel.admit(table.open(place), now, weight);
      if (admitted ? table.commit(now) : table.confirm()) return admitted;
    }
  }

  protected override _reserve({ key, weight, at }: Entry, maxWait: number): Booked {
    const now = at ?? this._now();
    return this.#inOneStep(key, now, (state, writable) => reserve(this.kernel, state, now, weight, maxWait, writable));
  }

  protected override _cancel({ key, weight, at }: Entry, booked: number, number: number): Decision {
    const now = at ?? this._now();
    return this.#inOneStep(key, now, (state, writable) =>
      cancel(this.kernel, state, now, weight, booked, number, writable),
    );
  }

  protected override _read(key: string): Snapshot {
    const now = this._now();
    return { now, state: this.#inOneStep(key, now, (state) => copyState(this.kernel, state)) };
  }

  protected override _leak(at: number | undefined): number {
    return this.#table.leak(at ?? this._now());
  }

  protected override _sweep(budget: number): boolean {
    const end = this.#stopwatch.now() + budget;
    return !this.#table.sweep(this._now(), () => this.#stopwatch.now() >= end);
  }

  protected override _flush(key: string | undefined): void {
    if (key === undefined) this.#table.clear();
    else this.#table.delete(key);
  }

  protected override _now(): number {
    return toMicroseconds(this.clock.now());
  }

  protected override _close(): void {
    this.#table.close();
  }

  /** Does something with a key's state, again and again until no other thread has changed it meanwhile. */
  #inOneStep<T>(key: string, now: number, work: (state: State, writable: () => State) => T): T {
    const table = this.#table;
    const place = table.find(key);
    for (;;) {
      const state = table.open(place);
      let isChanged = false;
      const answer = work(state, () => {
        isChanged = true;
        return state;
      });
      if (isChanged ? table.commit(now) : table.confirm()) return answer;
    }
  }

  #takeSeat(handle: number): Seat {
    const seat = Seat.take(this.#memory, handle);
    if (seat !== undefined) return seat;
    throw new LimiterError(
      "STORE",
      `Cannot attach: ${this.#memory.plan.maxWorkers} workers hold the bucket. Close those that are done, reclaim() those that ended without close(), or raise maxWorkers.`,
    );
  }
}
