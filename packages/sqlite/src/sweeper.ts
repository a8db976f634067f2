import type { StoreError } from "@sluice/core";
import type { Checkpoints } from "./checkpoints.js";
import type { SQLiteDatabase, SQLiteStatement } from "./driver.js";
import type { Tables } from "./schema.js";
import type { Transactions } from "./transactions.js";

/** Keys that are looked at in one step: so few that nobody waits long behind it. */
const STRIDE = 256;
/** Sorts before every key. */
const START = 0;

/**
 * Drops cells in short steps, each of them a transaction of its own, and none where there
 * is nothing to drop.
 */
export class Sweeper {
  readonly #transactions: Transactions;
  readonly #checkpoints: Checkpoints | undefined;
  readonly #buckets: SQLiteStatement;
  readonly #next: SQLiteStatement;
  readonly #due: SQLiteStatement;
  readonly #drop: SQLiteStatement;

  constructor(database: SQLiteDatabase, tables: Tables, transactions: Transactions, checkpoints?: Checkpoints) {
    this.#transactions = transactions;
    this.#checkpoints = checkpoints;
    const { buckets, cells } = tables;
    const range = `FROM ${cells} WHERE bucket = ? AND key > ?`;
    this.#buckets = database.prepare(`SELECT id FROM ${buckets} WHERE wall ORDER BY id`).pluck();
    const ahead = `SELECT key ${range} AND page = 0 ORDER BY key LIMIT ${STRIDE}`;
    this.#next = database.prepare(`SELECT max(key) FROM (${ahead})`).pluck();
    const due = `${range} AND key <= ? AND page = 0 AND expires <= ?`;
    this.#due = database.prepare(`SELECT 1 ${due} LIMIT 1`);
    // The pages of a log go with its row, and are not counted.
    this.#drop = database.prepare(`DELETE ${range} AND key <= ? AND key IN (SELECT key ${due}) RETURNING page`).pluck();
  }

  /** The buckets of the table that go by the time of day, those included that nobody opens any more. */
  wallBuckets(): number[] {
    return this.#transactions.read("sweep", () => this.#buckets.all().map(Number));
  }

  /**
   * Drops the cells of the buckets that are as good as new, and tells after each step how many.
   *
   * @param patience Milliseconds that a step may wait for the lock; then it is tried again
   *   as the next one. Left out, a step waits as any operation does, and fails if need be.
   */
  *sweep(buckets: readonly number[], now: () => number, patience?: number): Generator<number> {
    for (const bucket of buckets) {
      let last: unknown = START;
      for (let next = this.#after(bucket, last); next !== null; next = this.#after(bucket, last)) {
        const dropped = this.#dropBetween(bucket, last, next, now(), patience);
        yield dropped ?? 0;
        if (dropped !== undefined) last = next;
      }
    }
  }

  #after(bucket: number, key: unknown): unknown {
    return this.#transactions.read("sweep", () => this.#next.get(bucket, key));
  }

  #dropBetween(bucket: number, after: unknown, last: unknown, now: number, patience?: number): number | undefined {
    const due = this.#transactions.read("sweep", () => this.#due.get(bucket, after, last, now));
    if (due === undefined) return 0;
    const drop = () => this.#drop.all(bucket, after, last, bucket, after, last, now);
    try {
      const pages = this.#transactions.write("sweep", drop, patience);
      this.#checkpoints?.wrote(pages.length);
      return pages.filter((page) => Number(page) === 0).length;
    } catch (error) {
      if (patience === undefined || (error as StoreError).code !== "STORE_TIMEOUT") throw error;
      return undefined;
    }
  }
}
