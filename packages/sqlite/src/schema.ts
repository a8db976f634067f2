/**
 * The tables: one for the cells, and one for the names of the buckets that they belong to.
 *
 * @module
 */
import { StoreError } from "@sluice/core";
import type { SQLiteDatabase } from "./driver.js";

/** The table of cells where none is named. */
export const DEFAULT_TABLE = "sluice_cells";

/** Bytes of a page in a file that we make. A put writes one or two pages, so small ones are faster. */
export const PAGE_SIZE = 1024;

const LONGEST_NAME = 200;

/**
 * What the definition of a table of ours begins with; SQLite keeps it with the table. The
 * number goes up when the columns, or what is in them, change.
 */
const LAYOUT = "/* Sluice, layout 1 */";

/** The two tables, their names quoted. */
export interface Tables {
  /** A row for each cell (its `page` is 0), and one for each full page of a long log. */
  readonly cells: string;
  /** A row for each bucket. */
  readonly buckets: string;
}

/** Makes the tables in a transaction, where they are missing, and refuses those that are not ours. */
export function prepareTables(database: SQLiteDatabase, table: string, write: (work: () => void) => void): Tables {
  const names = [checkTable(table), `${table}_buckets`] as const;
  const tables = { cells: quote(names[0]), buckets: quote(names[1]) };
  if (names.some((name) => definitionOf(database, name) === undefined)) {
    write(() => {
      for (const sql of definitions(tables)) database.prepare(sql).run();
    });
  }
  for (const name of names) checkLayout(name, definitionOf(database, name));
  return tables;
}

/**
 * The number of a bucket in a file, by which its cells are known.
 *
 * @param wall Whether it goes by the time of day, as every bucket does that names no other clock.
 */
export function bucketNumber(
  database: SQLiteDatabase,
  { buckets }: Tables,
  bucket: { readonly name: string; readonly wall: boolean },
  write: (work: () => void) => void,
): number {
  const number = database.prepare(`SELECT id FROM ${buckets} WHERE name = ? AND wall <= ?`).pluck();
  const wall = bucket.wall ? 1 : 0;
  if (number.get(bucket.name, wall) === undefined) {
    const conflict = "ON CONFLICT (name) DO UPDATE SET wall = min(wall, excluded.wall)";
    const insert = database.prepare(`INSERT INTO ${buckets} (name, wall) VALUES (?, ?) ${conflict}`);
    write(() => insert.run(bucket.name, wall));
  }
  return Number(number.get(bucket.name, wall));
}

function definitions({ cells, buckets }: Tables): string[] {
  return [
    `CREATE TABLE IF NOT EXISTS ${cells} (${LAYOUT}
      bucket INTEGER NOT NULL,
      key BLOB NOT NULL,
      page INTEGER NOT NULL,
      state BLOB NOT NULL,
      expires INTEGER,
      UNIQUE (bucket, key, page)
    )`,
    `CREATE TABLE IF NOT EXISTS ${buckets} (${LAYOUT}
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      wall INTEGER NOT NULL
    )`,
  ];
}

function definitionOf(database: SQLiteDatabase, name: string): unknown {
  const find = database.prepare("SELECT coalesce(sql, '') FROM sqlite_schema WHERE name = ? COLLATE NOCASE");
  return find.pluck().get(name);
}

function checkLayout(name: string, definition: unknown): void {
  if (String(definition).includes(LAYOUT)) return;
  const rule = `it was not made by this version of @sluice/sqlite`;
  const way = "Name another table by the option table, or drop it.";
  throw new StoreError(`Cannot keep cells in the table ${JSON.stringify(name)}: ${rule}. ${way}`);
}

function checkTable(name: string): string {
  if (typeof name !== "string") {
    throw new TypeError(`Cannot call a table ${String(name)}: its name is a string, such as "${DEFAULT_TABLE}".`);
  }
  // SQLite keeps names that begin so to itself.
  const sound = name.length >= 1 && name.length <= LONGEST_NAME && !/\0|\p{Surrogate}|^sqlite_/iu.test(name);
  if (sound) return name;
  const rule = `a name is a well-formed string of 1 to ${LONGEST_NAME} characters without NUL that does not begin with "sqlite_"`;
  throw new RangeError(`Cannot call a table ${JSON.stringify(name)}: ${rule}. The default is "${DEFAULT_TABLE}".`);
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
