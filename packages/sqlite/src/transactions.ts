import { StoreError } from "@sluice/core";
import type { Checkpoints } from "./checkpoints.js";
import { asStoreError, isBusy, isStale, type SQLiteDatabase, type SQLiteStatement } from "./driver.js";
import { pause } from "./pause.js";

/**
 * Transactions that wait until the file is free, for `timeout` milliseconds at most.
 *
 * What runs inside may run again from the start: all of it that counts is in the database.
 * Inside a transaction of the caller's it becomes a part of that: it is rolled back with it.
 */
export class Transactions {
  /** What is run after a transaction that writes, in a database of our own. */
  checkpoints: Checkpoints | undefined;
  readonly #database: SQLiteDatabase;
  readonly #timeout: number;
  readonly #beginRead: SQLiteStatement;
  readonly #beginWrite: SQLiteStatement;
  readonly #commit: SQLiteStatement;
  readonly #rollback: SQLiteStatement;

  constructor(database: SQLiteDatabase, timeout: number) {
    this.#database = database;
    this.#timeout = timeout;
    this.#beginRead = database.prepare("BEGIN");
    this.#beginWrite = database.prepare("BEGIN IMMEDIATE");
    this.#commit = database.prepare("COMMIT");
    this.#rollback = database.prepare("ROLLBACK");
  }

  /**
   * Runs `work` with the database to itself. `what` is the verb for the error message.
   *
   * @param patience Milliseconds to wait at most, where that is not the timeout.
   */
  write<T>(what: string, work: () => T, patience = this.#timeout): T {
    return this.#guarded(what, () => {
      if (this.#database.inTransaction) return this.#within(what, work);
      return this.#writing(what, patience, () => this.#attempt(this.#beginWrite, work));
    });
  }

  /** Runs `work`, which is one statement that writes: a transaction by itself. */
  statement<T>(what: string, work: () => T): T {
    return this.#guarded(what, () => {
      if (this.#database.inTransaction) return this.#within(what, work);
      return this.#writing(what, this.#timeout, work);
    });
  }

  /** Runs `work` on the database as it is at one instant, beside whoever writes. */
  read<T>(what: string, work: () => T): T {
    return this.#guarded(what, () => {
      if (this.#database.inTransaction) return work();
      return patiently(what, this.#timeout, () => this.#attempt(this.#beginRead, work));
    });
  }

  /** Runs what is no transaction, and may find the database locked all the same. */
  outside<T>(what: string, work: () => T): T {
    return this.#guarded(what, () => patiently(what, this.#timeout, work));
  }

  #writing<T>(what: string, patience: number, work: () => T): T {
    const result = patiently(what, patience, work);
    this.checkpoints?.run();
    return result;
  }

  #guarded<T>(what: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw asStoreError(what, error, this.#database);
    }
  }

  #attempt<T>(begin: SQLiteStatement, work: () => T): T {
    begin.run();
    try {
      const result = work();
      this.#commit.run();
      return result;
    } catch (error) {
      // Some failures, such as a full disk, roll back by themselves.
      if (this.#database.inTransaction) this.#rollback.run();
      throw error;
    }
  }

  /** Runs `work` as a part of the caller's transaction. */
  #within<T>(what: string, work: () => T): T {
    return patiently(what, this.#timeout, () => {
      this.#database.prepare("SAVEPOINT sluice").run();
      try {
        return work();
      } catch (error) {
        if (this.#database.inTransaction) this.#database.prepare("ROLLBACK TO sluice").run();
        // To wait would not help: what the transaction has read stays out of date.
        throw isStale(error) ? asStoreError(what, error, this.#database) : error;
      } finally {
        if (this.#database.inTransaction) this.#database.prepare("RELEASE sluice").run();
      }
    });
  }
}

/** Does `work` until others let it through, for `timeout` milliseconds at most. */
function patiently<T>(what: string, timeout: number, work: () => T): T {
  let deadline: number | undefined;
  for (let tries = 1; ; tries++) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error)) throw error;
      deadline ??= performance.now() + timeout;
      if (performance.now() >= deadline) throw tooLate(what, timeout, error);
      pause(tries);
    }
  }
}

function tooLate(what: string, timeout: number, cause: unknown): StoreError {
  const rule = `the database was locked by others for ${timeout} ms`;
  const way = "Raise the timeout, or keep other transactions on the file short.";
  return new StoreError(`Cannot ${what}: ${rule}. ${way}`, { code: "STORE_TIMEOUT", cause });
}
