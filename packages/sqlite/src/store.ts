import { type Kernel, StoreError } from "@sluice/core";
import { Cells } from "./cells.js";
import { Checkpoints } from "./checkpoints.js";
import type { SQLiteDatabase } from "./driver.js";
import type { Synchronous } from "./options.js";
import { QuickPut } from "./quick-put.js";
import { bucketNumber, PAGE_SIZE, prepareTables } from "./schema.js";
import { Sweeper } from "./sweeper.js";
import { Transactions } from "./transactions.js";

/** What a bucket is to its store. */
export interface StoreOptions {
  /** The prefix of its cells. */
  readonly name: string;
  /** Whether it goes by the time of day. */
  readonly wall: boolean;
  readonly table: string;
  readonly timeout: number;
  /** How the file is written, if the database is our own; `undefined` for a borrowed one. */
  readonly synchronous: Synchronous | undefined;
}

/** All that a bucket has in its database. */
export class Store {
  readonly transactions: Transactions;
  readonly cells: Cells;
  /** A shorter way to put, for kernels whose states have room in one row. */
  readonly quickPut: QuickPut | undefined;
  readonly sweeper: Sweeper;
  /** The number of the bucket in the table of buckets. */
  readonly bucket: number;
  /** Whether the bucket goes by the time of day, as others in the table may. */
  readonly wall: boolean;

  constructor(database: SQLiteDatabase, kernel: Kernel, options: StoreOptions) {
    const { table, timeout, synchronous } = options;
    this.wall = options.wall;
    if (!database.open) throw new StoreError("Cannot open a bucket: the database is closed. Open it again.");
    // A bucket that was made known in a transaction would lose its number with it.
    if (database.inTransaction) {
      throw new StoreError("Cannot open a bucket inside a transaction. Open it first, and use it in the transaction.");
    }
    this.transactions = new Transactions(database, timeout);
    const open = <T>(work: () => T) => this.transactions.outside("open the bucket", work);
    const write = (work: () => void) => this.transactions.write("open the bucket", work);
    const checkpoints = synchronous === undefined ? undefined : open(() => setUp(database, synchronous));
    this.transactions.checkpoints = checkpoints;
    const tables = open(() => prepareTables(database, table, write));
    this.bucket = open(() => bucketNumber(database, tables, options, write));
    this.cells = open(() => new Cells(database, tables, this.bucket, kernel, checkpoints));
    this.quickPut = open(() => QuickPut.over(database, tables, this.bucket, kernel, this.cells, checkpoints));
    this.sweeper = open(() => new Sweeper(database, tables, this.transactions, checkpoints));
  }
}

/** Sets a database of our own up. Any of it may find the file locked. */
function setUp(database: SQLiteDatabase, synchronous: Synchronous): Checkpoints {
  // A file that is there already keeps its own.
  database.prepare(`PRAGMA page_size = ${PAGE_SIZE}`).run();
  database.prepare("PRAGMA journal_mode = WAL").get();
  database.prepare(`PRAGMA synchronous = ${synchronous}`).run();
  return new Checkpoints(database);
}
