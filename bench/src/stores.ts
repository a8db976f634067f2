/**
 * The cases of the stores: which program measures each, and how its rows are told.
 *
 * @module
 */
import type { Timing } from "./statistics.js";

/** What `redis.js` prints for one contestant. */
export interface ServerRow {
  readonly name: string;
  readonly perSecond: number;
  /** Microseconds of processor time a decision. */
  readonly clientCpu: number;
  readonly serverCpu: number;
  /** Milliseconds. */
  readonly p99: number;
}

/** One table of the report. */
export interface StoreCase {
  readonly title: string;
  readonly file: string;
  /** The words for it in a full run, and in a quick one. */
  readonly args: readonly [full: readonly string[], quick: readonly string[]];
}

/** By name, as the command line has them. Each compares with its first contestant. */
export const STORES: Readonly<Record<string, readonly StoreCase[]>> = {
  sqlite: [
    sqlite("SQLite file, one hot key", ["put", "1"]),
    sqlite("SQLite file, 10,000 keys", ["put", "10000"]),
    sqlite("SQLite file, nearly all refused, one hot key", ["refused", "1"]),
    sqlite("SQLite file, putMany of 100 on one hot key", ["many", "1"]),
  ],
  "shared-memory": [
    shared("Shared memory, two threads, one hot key", "1"),
    shared("Shared memory, two threads, 10,000 keys", "10000"),
  ],
  postgres: [
    postgres("Postgres, UNLOGGED tables, 50 in flight, 10,000 keys", ["unlogged", "10000", "50"]),
    postgres("Postgres, logged tables, 50 in flight, 10,000 keys", ["logged", "10000", "50"]),
    postgres("Postgres, logged tables, 50 in flight, one hot key", ["logged", "1", "50"]),
    postgres("Postgres, logged tables, one in flight", ["logged", "10000", "1"]),
  ],
};

/** The cases on Redis, whose rows tell more. */
export const REDIS: readonly StoreCase[] = [
  redis("Redis, 1,000 in flight, 10,000 keys", "many-keys"),
  redis("Redis, 1,000 in flight, one hot key", "hot-key"),
  redis("Redis, one in flight", "one-in-flight"),
];

/** The rows of a table of timings. */
export function timingRows(timings: readonly Timing[]): string[][] {
  return timings.map(({ name, median, least, most, ofFloor }) => [
    name,
    (median / 1000).toFixed(2),
    `${(least / 1000).toFixed(2)} - ${(most / 1000).toFixed(2)}`,
    `${ofFloor.toFixed(2)}x`,
  ]);
}

/** The rows of a table of a server. */
export function serverRows(rows: readonly ServerRow[]): string[][] {
  const sluice = rows.find(({ name }) => name === "sluice")?.perSecond ?? Number.NaN;
  return rows.map(({ name, perSecond, clientCpu, serverCpu, p99 }) => [
    name,
    perSecond.toFixed(0),
    `${(sluice / perSecond).toFixed(2)}x`,
    clientCpu.toFixed(1),
    serverCpu.toFixed(1),
    p99.toFixed(1),
  ]);
}

function sqlite(title: string, words: readonly string[]): StoreCase {
  return { title, file: "sqlite.js", args: [words, [...words, "5", "2000"]] };
}

function shared(title: string, keys: string): StoreCase {
  return { title, file: "shared-memory.js", args: [[keys], [keys, "100", "9"]] };
}

function postgres(title: string, words: readonly string[]): StoreCase {
  return { title, file: "postgres.js", args: [words, [...words, "5"]] };
}

function redis(title: string, name: string): StoreCase {
  const decisions = name === "one-in-flight" ? "3000" : "20000";
  return {
    title,
    file: "redis.js",
    args: [
      [name, "15", decisions],
      [name, "5", decisions],
    ],
  };
}
