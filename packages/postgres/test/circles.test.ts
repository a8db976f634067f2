import { randomUUID } from "node:crypto";
import { slidingWindowLog, tokenBucket } from "@sluice/core";
import { migrate, PostgresBucket } from "@sluice/postgres";
import pg from "pg";
import { describe, expect, test } from "vitest";
import { postgresUrl } from "../../../test/servers/urls.js";

/** Does work in a database of its own, whose circles nobody else makes. */
async function inNewDatabase(work: (pool: pg.Pool) => Promise<void>): Promise<void> {
  const name = `circles_${randomUUID().slice(0, 8)}`;
  const url = new URL(await postgresUrl());
  const client = new pg.Client(url.href);
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  url.pathname = name;
  const pool = new pg.Pool({ connectionString: url.href, max: 8 });
  // The database is dropped under its idle connections.
  pool.on("error", () => undefined);
  try {
    await work(pool);
  } finally {
    await pool.end();
    await client.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await client.end();
  }
}

describe("PostgresBucket, trips over the same keys in any order", () => {
  test.each([
    [tokenBucket, ["1000/30d"]],
    [tokenBucket, ["1000/30d", "2000/60d"]],
    [slidingWindowLog, ["1000/30d"]],
  ] as const)("never wait for each other in a circle: $name", (algorithm, rates) =>
    inNewDatabase(async (pool) => {
      await migrate(pool);
      const buckets = Array.from({ length: 8 }, () => new PostgresBucket(pool, rates, { algorithm }));
      const keys = Array.from({ length: 40 }, (_, i) => `key ${i}`);
      const put = (bucket: PostgresBucket, number: number) => {
        const order = number % 2 === 0 ? keys : [...keys].reverse();
        // Some keys are new each time, and some trips do other things as well.
        const items = order.map((key, i) => ({ key: i % 4 === 0 ? `${key} ${number >> 2}` : key }));
        return Promise.all([
          bucket.putMany(items),
          ...(number % 3 === 0 ? [bucket.charge({ key: keys[number % 40] ?? "" })] : []),
        ]);
      };
      for (let round = 0; round < 25; round++) {
        await Promise.all(buckets.map((bucket, i) => put(bucket, 8 * round + i)));
      }
      expect(await buckets[0]?.count("key 1")).toBeGreaterThanOrEqual(200);
      // Whoever was in one was undone, and tried again: what the server has counted tells.
      await pool.query("SELECT pg_stat_force_next_flush()").catch(() => undefined);
      const { rows } = await pool.query(
        "SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()",
      );
      expect(rows).toEqual([{ deadlocks: 0 }]);
    }),
  );
});
