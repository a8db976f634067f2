/**
 * Opens a bucket in the store that a URL names.
 *
 * @module
 */
import { type AbstractBucket, type AbstractClock, type BucketOptions, type RatesLike, toAsync } from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import { loadStore } from "./load-store.js";

/** What {@link openBucket} can be told. What a store has no use for, it leaves aside: the same options go with any URL. */
export interface OpenBucketOptions extends BucketOptions {
  /** Where the time comes from; the store's own clock when left out. */
  readonly clock?: AbstractClock;
  /**
   * What the bucket is for, such as `"sign-in"`; `"default"` when left out. Buckets of one
   * store share cells when their names, algorithms and rates are the same.
   */
  readonly name?: string;
  /** How many milliseconds the store may take for one operation; 5000 when left out. */
  readonly timeout?: number;
  /** Memory: how many keys are held at most; a million when left out. */
  readonly maxKeys?: number;
  /** Redis: what the names of all keys begin with; `"sluice"` when left out. */
  readonly prefix?: string;
  /** SQLite and Postgres: the table of the cells; `"sluice_cells"` when left out. */
  readonly table?: string;
  /** Postgres: the schema of the table; the first of the search path when left out. */
  readonly schema?: string;
  /** Postgres: whether a new table is UNLOGGED: faster, and empty after a crash of the server. */
  readonly unlogged?: boolean;
  /** Postgres: whether to make the table and its functions where they are missing; `true` when left out. */
  readonly migrate?: boolean;
  /** SQLite: how far a write goes before it counts as done; `"normal"` when left out. */
  readonly synchronous?: "off" | "normal" | "full";
}

type Open = (url: string, rates: RatesLike, options: OpenBucketOptions) => Promise<AbstractBucket<"async">>;

const openRedis: Open = async (url, rates, options) =>
  (await loadStore("@sluice/redis", "ioredis", () => import("@sluice/redis"))).RedisBucket.open(url, rates, options);

const openPostgres: Open = async (url, rates, options) =>
  (await loadStore("@sluice/postgres", "pg", () => import("@sluice/postgres"))).PostgresBucket.open(
    url,
    rates,
    options,
  );

const openSQLite: Open = async (url, rates, options) => {
  const { SQLiteBucket } = await loadStore("@sluice/sqlite", "better-sqlite3", () => import("@sluice/sqlite"));
  return toAsync(SQLiteBucket.open(url.slice("sqlite:".length), rates, options));
};

const STORES: Readonly<Record<string, Open>> = {
  memory: async (_, rates, options) => toAsync(new InMemoryBucket(rates, options)),
  sqlite: openSQLite,
  postgres: openPostgres,
  postgresql: openPostgres,
  redis: openRedis,
  rediss: openRedis,
  "redis+cluster": openRedis,
  "rediss+cluster": openRedis,
};

/**
 * Opens a bucket in the store that a URL names; the answer is the same in each of them.
 *
 * | URL | Store | Packages to install |
 * | --- | --- | --- |
 * | `memory:` | this process | |
 * | `sqlite:./limits.db` | a file, for all processes of this machine | `@sluice/sqlite better-sqlite3` |
 * | `postgres://user:password@host/database` | Postgres | `@sluice/postgres pg` |
 * | `redis://host:6379`, `rediss://host` | Redis or Valkey, plain or over TLS | `@sluice/redis ioredis` |
 * | `redis+cluster://host1:6379,host2` | Redis Cluster (`rediss+cluster:` over TLS) | `@sluice/redis ioredis` |
 *
 * The store's package is loaded when it is asked for. The bucket owns its connection, and
 * `close()` ends it.
 *
 * @throws StoreError when the store cannot be opened; RangeError for a URL of no known store.
 *
 * @example
 * ```ts
 * import { openBucket, tokenBucket } from "sluice";
 *
 * await using bucket = await openBucket("sqlite::memory:", "100/min", { algorithm: tokenBucket });
 * (await bucket.put({ key: "ada" })).remaining; // => 99
 * ```
 */
export async function openBucket(
  url: string,
  rates: RatesLike,
  options: OpenBucketOptions = {},
): Promise<AbstractBucket<"async">> {
  if (typeof url !== "string") {
    throw new TypeError(`Cannot open ${String(url)}: a store is named by a URL, such as "redis://localhost:6379".`);
  }
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase() ?? "";
  const open = Object.hasOwn(STORES, scheme) ? STORES[scheme] : undefined;
  if (open === undefined) {
    // What stands after the scheme may hold a password.
    const known = Object.keys(STORES).join(":, ");
    throw new RangeError(
      `Cannot open "${scheme}${scheme === "" ? "" : ":"}…": the URL of a store begins with ${known}:.`,
    );
  }
  return open(url, rates, options);
}
