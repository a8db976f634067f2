import type { Buffer } from "node:buffer";

/** One statement, as `pg` takes it. */
export interface PostgresQuery {
  /** The SQL. */
  text: string;
  /** What stands for $1, $2 and so on. */
  values?: (string | number | Buffer | null)[] | undefined;
  /** The name under which a connection keeps the statement prepared. */
  name?: string | undefined;
  /** Rows come as lists. */
  rowMode: "array";
  /** Values come as the server wrote them. */
  types: {
    /** Finds how to read a value. */
    getTypeParser: () => (value: string) => string;
  };
}

/** What a {@link PostgresBucket} needs of a pool of connections; `Pool` of pg 8.11 and later has it. */
export interface PostgresPool {
  /** Runs one statement on a free connection. */
  query(query: PostgresQuery): Promise<{
    /** The rows that it gave. */
    readonly rows: readonly (readonly unknown[])[];
  }>;
}

/** A pool that a bucket has made for itself. */
export interface OwnedPool extends PostgresPool {
  /** Closes all connections, once what they do is done. */
  end(): Promise<void>;
}

const LONGEST_TIMER = 2 ** 31 - 1;

/** Checks that a pool will do. */
export function checkPool(pool: PostgresPool): PostgresPool {
  if (typeof pool?.query === "function") return pool;
  const hint = "pass a Pool of pg, or call PostgresBucket.open() with a URL";
  throw new TypeError(`Cannot reach Postgres by ${pool === null ? "null" : typeof pool}: ${hint}.`);
}

/**
 * Makes a pool. It connects when it is first asked.
 *
 * @param timeout Milliseconds after which the server gives up a statement, so that one that
 *   nobody waits for any more does not hold its locks.
 */
export async function makePool(url: string, timeout: number): Promise<OwnedPool> {
  const shown = checkUrl(url);
  const { Pool } = await loadPg(shown);
  const bound = Math.ceil(timeout);
  const pool = new Pool({
    connectionString: url,
    application_name: "sluice",
    keepAlive: true,
    // The others make trips for the same key fail, and go again.
    options: "-c default_transaction_isolation=read\\ committed",
    ...(2 * bound > LONGEST_TIMER
      ? {}
      : // A server that vanished without a word is found out by its silence.
        { statement_timeout: bound, connectionTimeoutMillis: bound, query_timeout: 2 * bound }),
  });
  // An idle connection that breaks is replaced when the next is needed; without a listener it would end the process.
  pool.on("error", () => {});
  return pool;
}

/** Checks a URL, and gives it back for messages: where it leads to, without who goes there and how. */
function checkUrl(url: string): string {
  const hint = "write it as postgres://user:password@host:5432/database";
  if (typeof url !== "string") throw new TypeError(`Cannot open ${typeof url} as a URL of Postgres: ${hint}.`);
  if (!/^postgres(ql)?:\/\//.test(url)) {
    throw new TypeError(`Cannot open a URL that does not begin with postgres:// in Postgres: ${hint}.`);
  }
  return showUrl(url);
}

/** Where a URL leads to. */
export function showUrl(url: string): string {
  // A URL of pg may be none to others, as where the host is a folder of sockets.
  if (!URL.canParse(url)) return "postgres://";
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

async function loadPg(shown: string) {
  try {
    return (await import("pg")).default;
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ERR_MODULE_NOT_FOUND") throw error;
    const hint = "Run npm install @sluice/postgres pg";
    throw new Error(`Cannot open ${JSON.stringify(shown)}: the package pg is not installed. ${hint}.`, {
      cause: error,
    });
  }
}
