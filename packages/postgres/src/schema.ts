/**
 * What a bucket needs to find in a database, and how it gets there.
 *
 * @module
 */
import { MOST_ROWS, StoreError } from "@sluice/core";
import { Database } from "./database.js";
import { fill } from "./fill.js";
import { PAGE } from "./logs.js";
import { type Names, namesOf, type PlaceOptions } from "./names.js";
import { checkPool, type PostgresPool } from "./pool.js";
import {
  findVersion,
  fixedWindow,
  logExchange,
  schema,
  slidingWindowCounter,
  slidingWindowLog,
  tokenBucket,
  version,
} from "./sql/embedded.js";

/** Which tables to make, and how. */
export interface SchemaOptions extends PlaceOptions {
  /**
   * Makes tables that skip the write-ahead log: faster, and empty after a crash of the server,
   * so that every key starts anew. Tables that are there stay as they are.
   */
  readonly unlogged?: boolean | undefined;
}

/** Counted up with each change of the tables or functions. */
const VERSION = 4;

/**
 * The SQL that makes what a bucket needs, for those who run it by hand: in one transaction, such
 * as that of `psql --single-transaction`. Run again it changes nothing.
 *
 * @example
 * ```ts
 * import { ddl } from "@sluice/postgres";
 *
 * ddl({ schema: "limits", unlogged: true }).includes('CREATE UNLOGGED TABLE IF NOT EXISTS "limits"."sluice_cells"'); // => true
 * ```
 */
export function ddl({ unlogged = false, ...place }: SchemaOptions = {}): string {
  const values = {
    ...namesOf(place),
    version: String(VERSION),
    unlogged: unlogged ? "UNLOGGED" : "",
    page: String(PAGE),
    most_rows: String(MOST_ROWS),
  };
  const parts = [schema, tokenBucket, fixedWindow, slidingWindowCounter, slidingWindowLog, logExchange, version];
  return `${parts.map((part) => fill(part, values).replaceAll("CREATE  TABLE", "CREATE TABLE")).join("\n\n")}\n`;
}

/**
 * Makes the tables and functions that a bucket needs, where they are missing or of an older
 * version. Many processes may do so at once; where all is there, nothing is written.
 *
 * @param pool A pool whose user may create tables and functions.
 * @throws StoreError when it fails, or when what is there is of a newer Sluice.
 *
 * @example
 * ```ts no-run
 * import { migrate } from "@sluice/postgres";
 * import { Pool } from "pg";
 *
 * await migrate(new Pool({ connectionString: "postgres://localhost/app" }), { unlogged: true });
 * ```
 */
export async function migrate(pool: PostgresPool, options: SchemaOptions = {}): Promise<void> {
  const { cells } = namesOf(options);
  try {
    await makeReady(new Database(checkPool(pool), Number.POSITIVE_INFINITY, false), options);
  } catch (error) {
    if (!(error instanceof Error) || error instanceof TypeError || error instanceof StoreError) throw error;
    throw new StoreError(`Cannot make ${cells} and what belongs to it in Postgres: ${error.message}.`, {
      cause: error,
    });
  }
}

/** Makes what is missing. */
export async function makeReady(database: Database, options: SchemaOptions): Promise<void> {
  if (await isReady(database, namesOf(options))) return;
  // Without parameters, several statements travel as one, and are one transaction.
  await database.run({ text: ddl(options) });
}

/** Whether all is there, in the version that this Sluice knows. */
export async function isReady(database: Database, names: Names): Promise<boolean> {
  const [row] = await database.run({ text: findVersion }, [names.cells]);
  const [exists, found] = row ?? [];
  return exists === "t" && Number(found) === VERSION;
}
