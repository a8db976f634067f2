import type { SQLiteDatabase, SQLiteStatement } from "./driver.js";

/** Pages that are written to the log of the database between two checkpoints: 4 MiB of 1 KiB each. */
const EVERY = 4000;
/** Pages until the next try, after one that others were in the way of. */
const RETRY = 200;

/**
 * Brings the write-ahead log back into the file, in a database of our own.
 *
 * SQLite does so by itself, but without stopping the writers: under the load of several
 * processes it never gets to the end of a log that they go on writing, which then grows
 * without bound while every commit tries anew. Here one process in its turn stops the
 * others for the few milliseconds that it takes. Each starts at a random count, so
 * that processes that live for a few puts only do their part.
 */
export class Checkpoints {
  readonly #checkpoint: SQLiteStatement;
  #pages = Math.floor(Math.random() * EVERY);

  constructor(database: SQLiteDatabase) {
    database.prepare("PRAGMA wal_autocheckpoint = 0").get();
    this.#checkpoint = database.prepare("PRAGMA wal_checkpoint(FULL)").pluck();
  }

  /** Counts what was written. */
  wrote(pages: number): void {
    this.#pages += pages;
  }

  /** Runs a checkpoint, if it is time to. Outside of transactions. */
  run(): void {
    if (this.#pages < EVERY) return;
    this.#pages = 0;
    try {
      if (Number(this.#checkpoint.get()) !== 0) this.#pages = EVERY - RETRY;
    } catch {
      // What was put is safe in the log; if the disk is at fault, the next put will say so.
    }
  }
}
