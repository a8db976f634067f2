import { AbstractClock, toMilliseconds } from "@sluice/core";
import { Database } from "./database.js";
import { fill } from "./fill.js";
import { checkPool, type PostgresPool } from "./pool.js";

/**
 * The clock of a Postgres server: milliseconds since 1970, to the microsecond.
 *
 * Buckets read it inside their statements. Asked by itself it takes a trip of its own.
 *
 * @example
 * ```ts no-run
 * import { PostgresClock } from "@sluice/postgres";
 * import { Pool } from "pg";
 *
 * const ms = await new PostgresClock(new Pool()).now();
 * ```
 */
export class PostgresClock extends AbstractClock<"async"> {
  readonly #database: Database;
  readonly #statement = { text: fill("SELECT {now}", {}) };

  /** @param pool Connections to the server. */
  constructor(pool: PostgresPool) {
    super();
    this.#database = new Database(checkPool(pool), Number.POSITIVE_INFINITY, false);
  }

  override async now(): Promise<number> {
    const [row] = await this.#database.run(this.#statement);
    return toMilliseconds(Number(row?.[0]));
  }
}
