import { type Kernel, keyBytes, type State } from "@sluice/core";
import type { Checkpoints } from "./checkpoints.js";
import type { SQLiteDatabase, SQLiteStatement } from "./driver.js";
import { PagedLog, type Pages } from "./paged-log.js";
import { NumbersRow, type Row } from "./row.js";
import { PAGE_SIZE, type Tables } from "./schema.js";

/** A key, and its state as it was last loaded. */
export interface LoadedCell {
  key: Uint8Array;
  readonly row: Row;
}

/** What is done to a state at an instant; as `operate` does, it calls `writable` if it changes the state. */
export type Change<T> = (state: State, now: number, writable: () => State) => T;

const NO_KEY = new Uint8Array();

/** The cells of one bucket in its table. All of it runs inside of transactions. */
export class Cells {
  readonly #kernel: Kernel;
  readonly #checkpoints: Checkpoints | undefined;
  readonly #find: SQLiteStatement;
  readonly #save: SQLiteStatement;
  readonly #forget: SQLiteStatement;
  readonly #dropPages: SQLiteStatement;

  constructor(database: SQLiteDatabase, { cells }: Tables, bucket: number, kernel: Kernel, checkpoints?: Checkpoints) {
    this.#kernel = kernel;
    this.#checkpoints = checkpoints;
    const place = `WHERE bucket = ${bucket} AND key = ?`;
    this.#find = database.prepare(`SELECT state FROM ${cells} ${place} AND page = ?`).pluck();
    this.#save = database.prepare(`${upsert(cells, bucket)} state = excluded.state, expires = excluded.expires`);
    this.#forget = database.prepare(`DELETE FROM ${cells} ${place}`);
    this.#dropPages = database.prepare(`DELETE FROM ${cells} ${place} AND page BETWEEN ? AND ?`);
  }

  /** Room for one cell. */
  blank(): LoadedCell {
    if (this.#kernel.form === "cell") return { key: NO_KEY, row: new NumbersRow(this.#kernel.width) };
    const cell: { key: Uint8Array; row: Row } = { key: NO_KEY, row: new PagedLog(this.#pagesOf(() => cell.key)) };
    return cell;
  }

  /** Reads the state of a key into a cell. */
  load(cell: LoadedCell, key: Uint8Array): void {
    cell.key = key;
    cell.row.load(this.#find.get(key, 0) as Uint8Array | undefined);
  }

  /** Changes the state of a cell, and writes it if need be. */
  change<T>(cell: LoadedCell, now: number, change: Change<T>): T {
    const { state } = cell.row;
    let changed = false;
    const answer = change(state, now, () => {
      changed = true;
      return state;
    });
    if (changed) this.save(cell, now);
    return answer;
  }

  /** Writes the state of a cell as it is after a change at `now`. */
  save({ key, row }: LoadedCell, now: number): void {
    this.#write(key, 0, row.bytes(), now + this.#kernel.reset(row.state, now, 0));
  }

  /** Forgets a key. */
  forget(key: Uint8Array): void {
    this.#checkpoints?.wrote(this.#forget.run(key).changes);
  }

  #write(key: Uint8Array, page: number, bytes: Uint8Array, expires: number | null): void {
    this.#save.run(key, page, bytes, expires);
    this.#checkpoints?.wrote(pagesOfRow(key));
  }

  #pagesOf(key: () => Uint8Array): Pages {
    return {
      read: (page) => this.#find.get(key(), page) as Uint8Array | undefined,
      write: (page, bytes) => this.#write(key(), page, bytes, null),
      drop: (first, last) => this.#dropPages.run(key(), first, last),
    };
  }
}

/** Pages of the file that writing a row touches, roughly. */
export function pagesOfRow(key: Uint8Array): number {
  return 1 + Math.floor(key.length / PAGE_SIZE);
}

/** The beginning of a statement that writes a row of key, page, state and expires, or sets columns of one that is there. */
export function upsert(cells: string, bucket: number): string {
  return `INSERT INTO ${cells} (bucket, key, page, state, expires) VALUES (${bucket}, ?, ?, ?, ?)
    ON CONFLICT (bucket, key, page) DO UPDATE SET`;
}

/** The bytes of a key: as `keyBytes` gives them, in a fifth of the time. */
export function bytesOf(key: string): Uint8Array {
  return /\p{Surrogate}/u.test(key) ? keyBytes(key) : Buffer.from(key);
}
