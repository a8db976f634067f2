import {
  AbstractBucket,
  type AbstractClock,
  type Booked,
  cancel,
  cellPrefix,
  copyState,
  DEFAULT_BUCKET_NAME,
  type Decision,
  type Entry,
  isFresh,
  type Operation,
  operate,
  type Rate,
  type RatesLike,
  reserve,
  type Snapshot,
  type State,
  SystemClock,
  sameState,
  toMicroseconds,
  writeState,
} from "@sluice/core";
import { bytesOf, type Change, type LoadedCell } from "./cells.js";
import { asStoreError, openDatabase, type SQLiteDatabase } from "./driver.js";
import {
  checkPath,
  checkSynchronous,
  checkTimeout,
  type SQLiteBucketOptions,
  type SQLiteOpenOptions,
} from "./options.js";
import { DEFAULT_TABLE } from "./schema.js";
import { SQLiteClock } from "./sqlite-clock.js";
import { Store } from "./store.js";

/** Databases that were opened here, and are closed here. */
const owned = new WeakMap<SQLiteDatabase, NonNullable<SQLiteOpenOptions["synchronous"]>>();

/**
 * A bucket in a SQLite file that several processes on one machine share: answers at once.
 *
 * A put is one transaction that locks the file before it reads, so that processes never
 * admit more together than one would. Who finds the file locked waits, for `timeout`
 * milliseconds at most, and each process comes to its turn. Cells that are as good as new are
 * dropped by `leak()` and, in the background, by the limiter that holds the bucket; those
 * of buckets with other names or rates too, as long as all go by the time of day.
 *
 * What SQLite throws comes as a `StoreError` with it as the `cause`.
 *
 * @example
 * ```ts
 * import { Limiter, tokenBucket } from "@sluice/core";
 * import { SQLiteBucket } from "@sluice/sqlite";
 *
 * using bucket = SQLiteBucket.open(":memory:", "100/min", { algorithm: tokenBucket }); // or a file: "limits.db"
 * const limiter = new Limiter(bucket);
 * limiter.tryAcquire("ada", 60); // => true
 * limiter.tryAcquire("ada", 60); // => false
 * ```
 */
export class SQLiteBucket extends AbstractBucket<"sync"> {
  declare readonly clock: AbstractClock;
  readonly #database: SQLiteDatabase;
  readonly #store: Store;
  /** Where single operations load a cell into. */
  readonly #cell: LoadedCell;
  readonly #options: SQLiteBucketOptions;
  /** Whether another bucket closes the database. */
  #isSibling = false;
  /** The sweep that is under way. */
  #sweep: Generator<number> | undefined;

  /**
   * Keeps cells in a database of the caller's, which stays open and as it is.
   *
   * Inside a transaction of the caller's, puts become a part of it, and are taken back
   * with it. While others have the file locked, SQLite waits first, as the handle is set up
   * to: open it with `{ timeout: 0 }` if several processes put at a high rate.
   *
   * @param database An open handle of better-sqlite3, not inside a transaction.
   */
  constructor(database: SQLiteDatabase, rates: RatesLike, options: SQLiteBucketOptions = {}) {
    super("sync", rates, { ...options, clock: options.clock ?? new SystemClock() });
    const { name = DEFAULT_BUCKET_NAME, table = DEFAULT_TABLE } = options;
    this.#database = checkDatabase(database);
    this.#options = { ...options, algorithm: this.algorithm, clock: this.clock };
    this.#store = new Store(database, this._kernel, {
      name: cellPrefix(name, this.algorithm, this._rates),
      wall: this.clock instanceof SystemClock || this.clock instanceof SQLiteClock,
      table,
      timeout: checkTimeout(options.timeout),
      synchronous: owned.get(database),
    });
    this.#cell = this.#store.cells.blank();
  }

  /**
   * Opens a file, which is made where it is missing, and closes it with the bucket.
   *
   * @param path The file; `":memory:"` for a database of this bucket alone.
   * @throws StoreError when better-sqlite3 is not installed, or the file is no database.
   */
  static open(path: string, rates: RatesLike, options: SQLiteOpenOptions = {}): SQLiteBucket {
    const synchronous = checkSynchronous(options.synchronous);
    const database = openDatabase(checkPath(path));
    owned.set(database, synchronous);
    try {
      return new SQLiteBucket(database, rates, options);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  protected override _apply(operation: Operation, { key, weight, at }: Entry): Decision {
    const change: Change<Decision> = (state, now, writable) =>
      operate(this._kernel, operation, state, now, weight, writable);
    if (operation === "put") return this.#put(key, weight, at, change);
    const run = operation === "peek" ? "read" : "write";
    return this.#store.transactions[run](operation, () => this.#change(bytesOf(key), at, change));
  }

  /** One transaction, in which each key is read once and written once. */
  protected override _applyAll(operation: Operation, entries: readonly Entry[]): Decision[] {
    if (entries.length === 0) return [];
    const { cells, transactions } = this.#store;
    return transactions.write(operation, () => {
      const loaded = new Map<string, LoadedCell>();
      const changed = new Map<LoadedCell, number>();
      const decisions = entries.map(({ key, weight, at }) => {
        const cell = loaded.get(key) ?? this.#loadNew(key);
        loaded.set(key, cell);
        const now = at ?? this._now();
        return operate(this._kernel, operation, cell.row.state, now, weight, () => {
          changed.set(cell, now);
          return cell.row.state;
        });
      });
      for (const [cell, now] of changed) cells.save(cell, now);
      return decisions;
    });
  }

  protected override _tryPut(key: string, weight: number): boolean {
    if (weight === 0 || weight > this._capacity) return weight === 0;
    return this.#put(key, weight, undefined, (state, now, writable) => {
      const admitted = this._kernel.admit(state, now, weight);
      if (admitted) writable();
      return admitted;
    });
  }

  protected override _reserve({ key, weight, at }: Entry, maxWait: number): Booked {
    const book: Change<Booked> = (state, now, writable) => reserve(this._kernel, state, now, weight, maxWait, writable);
    return this.#store.transactions.write("reserve", () => this.#change(bytesOf(key), at, book));
  }

  protected override _cancel({ key, weight, at }: Entry, booked: number, number: number): Decision {
    const unbook: Change<Decision> = (state, now, writable) =>
      cancel(this._kernel, state, now, weight, booked, number, writable);
    return this.#store.transactions.write("cancel", () => this.#change(bytesOf(key), at, unbook));
  }

  protected override _read(key: string): Snapshot {
    const cell = this.#cell;
    return this.#store.transactions.read("read", () => {
      this.#store.cells.load(cell, bytesOf(key));
      return { now: this._now(), state: copyState(this._kernel, cell.row.state) };
    });
  }

  protected override _reopen(rates: readonly Rate[]): SQLiteBucket {
    const bucket = new SQLiteBucket(this.#database, rates, this.#options);
    bucket.#isSibling = true;
    return bucket;
  }

  protected override _exchange(key: string, from: State, to: State): boolean {
    const { cells, transactions } = this.#store;
    const cell = this.#cell;
    return transactions.write("replace the rates", () => {
      cells.load(cell, bytesOf(key));
      if (!sameState(this._kernel, cell.row.state, from)) return false;
      cells.forget(cell.key);
      if (isFresh(this._kernel, to)) return true;
      cell.row.load(undefined);
      writeState(this._kernel, cell.row.state, to);
      cells.save(cell, this._now());
      return true;
    });
  }

  protected override _leak(at: number | undefined): number {
    const now = at ?? this._now();
    let dropped = 0;
    for (const count of this.#sweepBuckets(() => now)) dropped += count;
    return dropped;
  }

  protected override _sweep(budget: number): boolean {
    const end = performance.now() + budget;
    this.#sweep ??= this.#sweepBuckets(() => this._now(), budget);
    do {
      if (this.#sweep.next().done) {
        this.#sweep = undefined;
        return false;
      }
    } while (performance.now() < end);
    return true;
  }

  protected override _flush(key: string | undefined): void {
    const { bucket, cells, sweeper, transactions } = this.#store;
    if (key !== undefined) transactions.write("flush", () => cells.forget(bytesOf(key)));
    else for (const _ of sweeper.sweep([bucket], () => Number.POSITIVE_INFINITY));
  }

  protected override _now(): number {
    return toMicroseconds(this.clock.now());
  }

  protected override _close(): void {
    if (this.#isSibling || !owned.has(this.#database)) return;
    try {
      this.#database.close();
    } catch (error) {
      throw asStoreError("close the database", error, this.#database);
    }
  }

  #put<T>(key: string, weight: number, at: number | undefined, change: Change<T>): T {
    const { quickPut, transactions } = this.#store;
    const bytes = bytesOf(key);
    if (quickPut !== undefined && weight > 0 && weight <= this._capacity) {
      const put = () => quickPut.run(bytes, at ?? this._now(), weight, change);
      const answer = transactions.statement("put", put);
      if (answer !== undefined) return answer;
    }
    return transactions.write("put", () => this.#change(bytes, at, change));
  }

  #change<T>(key: Uint8Array, at: number | undefined, change: Change<T>): T {
    const { cells } = this.#store;
    cells.load(this.#cell, key);
    // Not before the lock is held: who had to wait is later than who was first.
    return cells.change(this.#cell, at ?? this._now(), change);
  }

  #loadNew(key: string): LoadedCell {
    const cell = this.#store.cells.blank();
    this.#store.cells.load(cell, bytesOf(key));
    return cell;
  }

  #sweepBuckets(now: () => number, patience?: number): Generator<number> {
    const { sweeper, bucket, wall } = this.#store;
    const buckets = new Set([bucket, ...(wall ? sweeper.wallBuckets() : [])]);
    return sweeper.sweep([...buckets], now, patience);
  }
}

function checkDatabase(database: SQLiteDatabase): SQLiteDatabase {
  if (typeof database?.prepare === "function") return database;
  throw new TypeError(
    `Cannot keep cells in ${String(database)}: pass a handle of better-sqlite3, or a path to SQLiteBucket.open().`,
  );
}
