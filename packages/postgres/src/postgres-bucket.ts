import {
  type CellAnswer,
  type CellSteps,
  type Rate,
  type RatesLike,
  RemoteBucket,
  type Snapshot,
  type State,
  StoreError,
} from "@sluice/core";
import { after, CellKeys } from "./cell-keys.js";
import { hasCells } from "./cell-statements.js";
import { Cells } from "./cells.js";
import { Database } from "./database.js";
import { Logs } from "./logs.js";
import { type Names, namesOf } from "./names.js";
import type { PostgresBucketOptions, PostgresOpenOptions } from "./options.js";
import { checkPool, makePool, type OwnedPool, type PostgresPool, showUrl } from "./pool.js";
import { PostgresClock } from "./postgres-clock.js";
import { isReady, makeReady } from "./schema.js";
import type { Store } from "./store.js";

/**
 * A bucket in Postgres: for limits that many processes and machines share.
 *
 * A trip is one statement, however many items it carries, and one row a key, whatever the
 * limit; only the log keeps more, some 30 bytes for each item that counts. The time is that of the
 * server unless the options name a clock. The tables and functions must be there: `open` and
 * {@link migrate} make them. No instance runs anything in the background by itself.
 *
 * @example
 * ```ts no-run
 * import { tokenBucket } from "@sluice/core";
 * import { PostgresBucket } from "@sluice/postgres";
 *
 * await using bucket = await PostgresBucket.open("postgres://localhost/app", "100/min", { algorithm: tokenBucket });
 * const { allowed, retryAfter } = await bucket.put({ key: "ada" });
 * ```
 */
export class PostgresBucket extends RemoteBucket {
  readonly #database: Database;
  readonly #names: Names;
  readonly #keys: CellKeys;
  readonly #store: Store;
  readonly #pool: PostgresPool;
  readonly #options: PostgresBucketOptions;
  #owned: OwnedPool | undefined;
  /** Where the next sweep begins. */
  #swept: Buffer;

  /**
   * @param pool Connections to the server, such as a `Pool` of pg. It stays open when the bucket is closed.
   * @param rates One rate or several.
   * @throws TypeError for an algorithm that Postgres has no dialect of.
   */
  constructor(pool: PostgresPool, rates: RatesLike, options: PostgresBucketOptions = {}) {
    super("Postgres", rates, options, new PostgresClock(pool));
    const { _kernel: kernel, _capacity: capacity } = this;
    this.#pool = checkPool(pool);
    this.#options = { ...options, algorithm: this.algorithm };
    this.#database = new Database(this.#pool, this._timeout, options.prepare ?? true);
    this.#names = namesOf(options);
    this.#keys = new CellKeys(this._prefix);
    this.#swept = this.#keys.first;
    if (kernel.rule !== "sliding-window-log" && !hasCells(kernel.rule)) throw unknownRule(kernel.rule);
    const StoreOf = kernel.form === "log" ? Logs : Cells;
    this.#store = new StoreOf(this.#database, this.#keys, kernel, capacity, this.#names);
  }

  /**
   * Opens a bucket with connections of its own, which close with it, and makes the tables and
   * functions where they are missing.
   *
   * @param url Such as `postgres://user:password@host:5432/database`; what follows a `?` goes to pg.
   * @throws StoreError when the server cannot be reached, or the tables cannot be made.
   */
  static async open(url: string, rates: RatesLike, options: PostgresOpenOptions = {}): Promise<PostgresBucket> {
    const pool = await makePool(url, options.timeout ?? 5000);
    try {
      const bucket = new PostgresBucket(pool, rates, options);
      bucket.#owned = pool;
      await bucket._ask(`open ${JSON.stringify(showUrl(url))}`, () => bucket.#prepare(options));
      return bucket;
    } catch (error) {
      await pool.end();
      throw error;
    }
  }

  protected override _send(cells: readonly CellSteps[]): Promise<readonly CellAnswer[]> {
    return this.#store.send(cells);
  }

  protected override async _read(key: string): Promise<Snapshot> {
    const instant = await this._instant(undefined);
    const { now, state } = await this._ask("read", () => this.#store.read(key));
    return { now: instant ?? now, state };
  }

  protected override _reopen(rates: readonly Rate[]): PostgresBucket {
    return new PostgresBucket(this.#pool, rates, this.#options);
  }

  protected override _exchange(key: string, from: State, to: State): Promise<boolean> {
    return this._ask("replace the rates", () => this.#store.exchange(key, from, to));
  }

  protected override async _leak(at: number | undefined): Promise<number> {
    const now = await this._instant(at);
    let total = 0;
    for (let first: Buffer | undefined = this.#keys.first; first !== undefined; ) {
      const { dropped, next } = await this.#leakFrom(first, now);
      total += dropped;
      first = next;
    }
    return total;
  }

  protected override async _sweep(budget: number): Promise<boolean> {
    const end = performance.now() + budget;
    const now = await this._instant(undefined);
    do {
      const { next } = await this.#leakFrom(this.#swept, now);
      this.#swept = next ?? this.#keys.first;
      if (next === undefined) return false;
    } while (performance.now() < end);
    return true;
  }

  protected override async _flush(key: string | undefined): Promise<void> {
    const first = key === undefined ? this.#keys.first : this.#keys.of(key);
    const end = key === undefined ? this.#keys.end : after(first);
    while (await this._ask("flush", () => this.#store.flush(first, end)));
  }

  protected override async _disconnect(): Promise<void> {
    const owned = this.#owned;
    if (owned === undefined) return;
    try {
      await this._ask("close", () => owned.end());
    } catch (error) {
      // A connection that hangs is closed when the server, or its silence, ends what it does.
      if (!(error instanceof StoreError)) throw error;
    }
  }

  #leakFrom(first: Buffer, now: number | undefined) {
    return this._ask("leak", () => this.#store.leak(first, this.#keys.end, now));
  }

  async #prepare(options: PostgresOpenOptions): Promise<void> {
    if (options.migrate !== false) return makeReady(this.#database, options);
    if (await isReady(this.#database, this.#names)) return;
    const way = "call migrate() once, leave out migrate: false, or run the SQL that ddl() gives";
    throw new StoreError(`Cannot open the bucket: ${this.#names.cells} is missing, or of another version: ${way}.`);
  }
}

function unknownRule(rule: string): TypeError {
  const way = "Take an algorithm of @sluice/core, or keep the bucket in memory";
  return new TypeError(
    `Cannot decide by the rule ${JSON.stringify(rule)} in Postgres: it has no dialect there. ${way}.`,
  );
}
