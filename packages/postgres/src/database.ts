import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { StoreError } from "@sluice/core";
import type { PostgresPool, PostgresQuery } from "./pool.js";

/** A statement, and the name under which connections keep it prepared. */
export interface Statement {
  readonly text: string;
  readonly name?: string | undefined;
}

/** A row of an answer: each value as the server wrote it. */
export type Row = readonly (string | null)[];

const asWritten: PostgresQuery["types"] = { getTypeParser: () => (value) => value };

/** What another transaction was in the way of: nothing was done, and another time it may work. */
const IN_THE_WAY: readonly unknown[] = ["40001", "40P01"];
/** Milliseconds that pass at most between two attempts. */
const LONGEST_PAUSE = 64;
/** A table, a function, a column or a schema is not there. */
const MISSING: readonly unknown[] = ["42P01", "42883", "42703", "3F000"];
/** The server gave up the statement when its time was over. */
const CANCELED = "57014";

/** Runs statements, and makes of what goes wrong something to act on. */
export class Database {
  readonly #pool: PostgresPool;
  readonly #timeout: number;
  readonly #prepare: boolean;

  /**
   * @param timeout Milliseconds after which nobody waits for an answer any more.
   * @param prepare Whether connections may keep statements prepared.
   */
  constructor(pool: PostgresPool, timeout: number, prepare: boolean) {
    this.#pool = pool;
    this.#timeout = timeout;
    this.#prepare = prepare;
  }

  /** A statement that is run again and again. */
  statement(text: string): Statement {
    if (!this.#prepare) return { text };
    return { text, name: `sluice ${createHash("sha256").update(text).digest("base64url").slice(0, 22)}` };
  }

  /** Runs a statement until it was not in the way of another. */
  async run(statement: Statement, values?: PostgresQuery["values"]): Promise<readonly Row[]> {
    const { name, text } = statement;
    const query: PostgresQuery = { name, text, values, rowMode: "array", types: asWritten };
    const start = performance.now();
    for (let pause = 1; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      try {
        return (await this.#pool.query(query)).rows as readonly Row[];
      } catch (error) {
        const { code, message } = error as { code?: unknown; message?: unknown };
        if (!IN_THE_WAY.includes(code) || performance.now() - start >= this.#timeout) {
          throw explain(error, code, message);
        }
        await sleep(pause * Math.random());
      }
    }
  }
}

function explain(error: unknown, code: unknown, message: unknown): unknown {
  if (MISSING.includes(code)) {
    const way = "Call migrate() once with the same table and schema, or run the SQL that ddl() gives";
    return new StoreError(`Postgres lacks what the bucket needs (${message}). ${way}.`, { cause: error });
  }
  if (code === CANCELED) {
    return new StoreError(`Postgres gave up the statement (${message}). Retry later, or allow more time.`, {
      code: "STORE_TIMEOUT",
      cause: error,
    });
  }
  // Where a name has several addresses, none of which answers: the first tells enough.
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0];
  return error;
}
