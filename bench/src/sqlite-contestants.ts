/**
 * Who is measured on a SQLite file: Sluice, rate-limiter-flexible, and one statement by hand.
 *
 * Each has a file of its own, with a write-ahead log and synchronous NORMAL.
 *
 * @module
 */
import { join } from "node:path";
import { AbstractClock, Limiter, Rate, tokenBucket } from "@sluice/core";
import { SQLiteBucket } from "@sluice/sqlite";
import Database from "better-sqlite3";
import { RateLimiterSQLite } from "rate-limiter-flexible";
import { DAY, PLENTY } from "./keys.js";

/** Puts one unit for each key in turn, and says how many were admitted. */
export type Round = (keys: readonly string[]) => number | Promise<number>;

/** Nothing is refused: all of them then write at every put. */
const GENEROUS = new Rate(PLENTY, DAY);

function open(folder: string, name: string): Database.Database {
  const database = new Database(join(folder, `${name}.db`));
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = NORMAL");
  return database;
}

/** A fixed window by hand: one upsert, prepared once, with better-sqlite3 as it comes. */
export function byHand(folder: string, { limit, interval } = GENEROUS): Round {
  const database = open(folder, "by-hand");
  database.exec(
    "CREATE TABLE IF NOT EXISTS cells (key TEXT PRIMARY KEY, points INTEGER NOT NULL, expire INTEGER NOT NULL)",
  );
  const upsert = database
    .prepare<[string, number, number, number], number>(
      `INSERT INTO cells (key, points, expire) VALUES (?, 1, ?) ON CONFLICT (key) DO UPDATE SET
        points = CASE WHEN expire > ? THEN points + 1 ELSE 1 END,
        expire = CASE WHEN expire > ? THEN expire ELSE excluded.expire END RETURNING points`,
    )
    .pluck();
  return (keys) => {
    let admitted = 0;
    for (const key of keys) {
      const now = Date.now();
      if ((upsert.get(key, now + interval, now, now) as number) <= limit) admitted++;
    }
    return admitted;
  };
}

/** `Limiter.tryAcquire` over a bucket, everything else as it comes. */
export function sluice(folder: string, rate = GENEROUS): Round {
  const bucket = SQLiteBucket.open(join(folder, "sluice.db"), rate, { algorithm: tokenBucket });
  const limiter = new Limiter(bucket);
  return (keys) => {
    let admitted = 0;
    for (const key of keys) if (limiter.tryAcquire(key)) admitted++;
    return admitted;
  };
}

/** rate-limiter-flexible, one call after another: SQLite does one at a time in any case. */
export async function flexible(folder: string, { limit, interval } = GENEROUS): Promise<Round> {
  const limiter = await new Promise<RateLimiterSQLite>((resolve, reject) => {
    const options = {
      storeClient: open(folder, "flexible"),
      storeType: "better-sqlite3",
      tableName: "cells",
      points: limit,
      duration: interval / 1000,
    };
    const made: RateLimiterSQLite = new RateLimiterSQLite(options, (error?: Error) => {
      if (error === undefined) setImmediate(() => resolve(made));
      else reject(error);
    });
  });
  return async (keys) => {
    let admitted = 0;
    for (const key of keys) {
      // It rejects what it refuses.
      if (
        await limiter.consume(key).then(
          () => true,
          (refusal: unknown) => {
            if (refusal instanceof Error) throw refusal;
            return false;
          },
        )
      )
        admitted++;
    }
    return admitted;
  };
}

/** A bucket asked for whole decisions: one put at a time, or `size` of them in one `putMany`. */
export function puts(folder: string, size: number, file = "puts"): Round {
  const bucket = SQLiteBucket.open(join(folder, `${file}.db`), GENEROUS, { algorithm: tokenBucket });
  return (keys) => {
    let admitted = 0;
    for (let i = 0; i < keys.length; i += size) {
      const items = keys.slice(i, i + size).map((key) => ({ key }));
      const decisions = size === 1 ? items.map((item) => bucket.put(item)) : bucket.putMany(items);
      for (const { allowed } of decisions) if (allowed) admitted++;
    }
    return admitted;
  };
}

/** A clock that goes on by a microsecond whenever it is read. */
class Ticking extends AbstractClock {
  #us = 0;

  override now(): number {
    return this.#us++ / 1000;
  }
}

/** The log with `limit` entries in it, all of one key: with each that comes, one leaves. */
export function fullLog(folder: string, limit: number): Round {
  const rate = new Rate(limit, limit / 1000);
  const bucket = SQLiteBucket.open(join(folder, `log-${limit}.db`), rate, { clock: new Ticking() });
  for (let i = 0; i < limit; i += 1000) {
    bucket.putMany(Array.from({ length: Math.min(limit, 1000) }, () => ({ key: "full" })));
  }
  return (keys) => {
    let admitted = 0;
    for (const _ of keys) if (bucket.tryPut("full")) admitted++;
    return admitted;
  };
}
