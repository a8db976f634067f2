/**
 * Who is measured on Postgres: Sluice, rate-limiter-flexible, and two bare statements.
 *
 * Each has a table and a pool of 10 connections of its own.
 *
 * @module
 */
import { Limiter, Rate, tokenBucket } from "@sluice/core";
import { migrate, PostgresBucket } from "@sluice/postgres";
import pg from "pg";
import { RateLimiterPostgres } from "rate-limiter-flexible";

/** Puts one unit for a key, and says whether it was admitted. */
export type Put = (key: string) => Promise<boolean>;

/** Where the contestants are, and whether their tables skip the write-ahead log. */
export interface Place {
  readonly url: string;
  readonly unlogged: boolean;
}

/** Connections of each. */
export const CONNECTIONS = 10;

function connect({ url }: Place): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS });
  // The server goes before its clients do.
  pool.on("error", () => {});
  return pool;
}

/** `Limiter.tryAcquire` over a bucket, everything else as it comes. */
export async function sluice(place: Place, limit: number, interval: number): Promise<Put> {
  const pool = connect(place);
  const table = `sluice_${limit}`;
  await migrate(pool, { table, unlogged: place.unlogged });
  const limiter = new Limiter(new PostgresBucket(pool, new Rate(limit, interval), { algorithm: tokenBucket, table }));
  return (key) => limiter.tryAcquire(key);
}

/** rate-limiter-flexible, with the table that it makes, made UNLOGGED beforehand where that is asked. */
export async function flexible(place: Place, limit: number, interval: number): Promise<Put> {
  const pool = connect(place);
  const tableName = `flexible_${limit}`;
  const kind = place.unlogged ? "UNLOGGED" : "";
  await pool.query(
    `CREATE ${kind} TABLE ${tableName} (key varchar(255) PRIMARY KEY, points integer NOT NULL DEFAULT 0, expire bigint)`,
  );
  const options = { storeClient: pool, tableName, tableCreated: true, points: limit, duration: interval / 1000 };
  const limiter = new RateLimiterPostgres(options);
  return (key) =>
    // It rejects what it refuses.
    limiter.consume(key).then(
      () => true,
      (refusal: unknown) => {
        if (refusal instanceof Error) throw refusal;
        return false;
      },
    );
}

/** A counter by hand: one upsert, prepared, of a count that never starts anew. */
export async function byHand(place: Place, limit: number): Promise<Put> {
  const pool = connect(place);
  await pool.query(
    `CREATE ${place.unlogged ? "UNLOGGED" : ""} TABLE by_hand (key bytea PRIMARY KEY, points float8 NOT NULL)`,
  );
  const text =
    "INSERT INTO by_hand AS h VALUES ($1, 1) ON CONFLICT (key) DO UPDATE SET points = h.points + 1 RETURNING points";
  return async (key) => (await pool.query({ name: "put", text, values: [Buffer.from(key)] })).rows[0].points <= limit;
}

/** A trip that does nothing. */
export async function nothing(place: Place): Promise<Put> {
  const pool = connect(place);
  return async () => (await pool.query({ name: "nothing", text: "SELECT 1" })).rows.length === 1;
}
