/**
 * The driver, by the parts of better-sqlite3 that are used here.
 *
 * @module
 */
import { createRequire } from "node:module";
import { StoreError } from "@sluice/core";

/** What a statement did. */
export interface SQLiteChanges {
  /** Rows that it changed. */
  readonly changes: number;
}

/** A prepared statement of better-sqlite3, by the parts that a bucket uses. */
export interface SQLiteStatement {
  /** Runs it to the end. */
  run(...parameters: unknown[]): SQLiteChanges;
  /** The first row, or `undefined`. */
  get(...parameters: unknown[]): unknown;
  /** All rows. */
  all(...parameters: unknown[]): unknown[];
  /** Makes rows of one column the value of that column. */
  pluck(): SQLiteStatement;
}

/** A handle of better-sqlite3 (11 or newer), by the parts that a bucket uses. */
export interface SQLiteDatabase {
  /** Whether it is open. */
  readonly open: boolean;
  /** Whether it is inside a transaction. */
  readonly inTransaction: boolean;
  /** Prepares one statement. */
  prepare(sql: string): SQLiteStatement;
  /** Makes a JavaScript function known to SQL, for as long as the handle is open. */
  function(name: string, options: { directOnly: boolean }, callback: (value: never) => unknown): unknown;
  /** Closes it. */
  close(): unknown;
}

type Driver = new (path: string, options: { timeout: number }) => SQLiteDatabase;

/** Opens a database that waits for nothing by itself: the pauses of our own are fairer. */
export function openDatabase(path: string): SQLiteDatabase {
  const Database = loadDriver();
  try {
    return new Database(path, { timeout: 0 });
  } catch (cause) {
    throw new StoreError(`Cannot open the database ${JSON.stringify(path)}: ${(cause as Error).message}.`, { cause });
  }
}

function loadDriver(): Driver {
  try {
    return createRequire(import.meta.url)("better-sqlite3") as Driver;
  } catch (cause) {
    const way = "Install both packages: npm install @sluice/sqlite better-sqlite3";
    throw new StoreError(`Cannot open a SQLite database without the package better-sqlite3. ${way}`, { cause });
  }
}

/** Whether an error says that another has the lock. */
export function isBusy(error: unknown): boolean {
  return codeOf(error).startsWith("SQLITE_BUSY");
}

/** Whether an error says that a transaction cannot write, because another has written since it first read. */
export function isStale(error: unknown): boolean {
  return codeOf(error) === "SQLITE_BUSY_SNAPSHOT";
}

/** What was thrown while `what` was done, as the caller of a bucket gets it: failures of SQLite are StoreErrors. */
export function asStoreError(what: string, error: unknown, database: SQLiteDatabase): unknown {
  if (error instanceof StoreError) return error;
  if (isStale(error)) {
    const rule = "the transaction that the database is in began with a read, and another process has written since";
    return new StoreError(`Cannot ${what}: ${rule}. Begin it with BEGIN IMMEDIATE.`, { cause: error });
  }
  if (!codeOf(error).startsWith("SQLITE_") && database.open) return error;
  const reason = database.open ? `SQLite says: ${(error as Error).message}` : "the database is closed";
  return new StoreError(`Cannot ${what}: ${reason}.`, { cause: error });
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | undefined)?.code);
}
