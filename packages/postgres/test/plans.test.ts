import { randomUUID } from "node:crypto";
import { slidingWindowLog, tokenBucket } from "@sluice/core";
import { migrate, PostgresBucket } from "@sluice/postgres";
import pg from "pg";
import { afterAll, describe, expect, test } from "vitest";
import { postgresUrl } from "../../../test/servers/urls.js";

const url = await postgresUrl();
const pool = new pg.Pool({ connectionString: url });

afterAll(() => pool.end());

/** A table that is empty, and that the server knows to be. */
async function emptyTable(): Promise<string> {
  const table = `plans_${randomUUID().slice(0, 8)}`;
  await migrate(pool, { table, unlogged: true });
  for (const part of [table, `${table}_logs`, `${table}_pages`]) {
    // What it knows does not change while it fills.
    await pool.query(`ALTER TABLE ${part} SET (autovacuum_enabled = false)`);
    await pool.query(`VACUUM ANALYZE ${part}`);
  }
  return table;
}

/** Everything that a service does all the time, on some keys. */
async function use(bucket: PostgresBucket, from: number): Promise<void> {
  for (let i = from; i < from + 20; i++) {
    await bucket.put({ key: `key ${i}` });
    await bucket.putMany([{ key: `key ${i}` }, { key: `key ${i + 1}` }]);
    await bucket.peek({ key: `key ${i}` });
    await Promise.all([bucket.charge({ key: `key ${i}`, weight: 2 }), bucket.peek({ key: "ada" })]);
    await bucket.refund({ key: `key ${i}`, weight: 2 });
  }
}

/** How often the tables were read from one end to the other, once the server has counted it. */
async function scans(table: string, uses: number): Promise<number> {
  const sql = `SELECT sum(seq_scan)::int AS whole, sum(idx_scan)::int AS by_index
    FROM pg_stat_user_tables WHERE starts_with(relname, $1)`;
  const read = async () => (await pool.query(sql, [table])).rows[0];
  await expect.poll(async () => (await read()).by_index, { timeout: 10_000 }).toBeGreaterThanOrEqual(uses);
  return (await read()).whole;
}

describe.each([tokenBucket, slidingWindowLog])("PostgresBucket, $name", (algorithm) => {
  test("goes by index on 100,000 keys, although it made its plans when there were none", async () => {
    const table = await emptyTable();
    const other = new pg.Pool({ connectionString: url, max: 1 });
    const bucket = new PostgresBucket(other, "1000/min", { algorithm, table, maxTrip: 1000 });
    await use(bucket, 0);
    const filling = new PostgresBucket(pool, "1000/min", { algorithm, table, maxTrip: 5000 });
    for (let first = 0; first < 100_000; first += 5000) {
      await filling.putMany(Array.from({ length: 5000 }, (_, i) => ({ key: `key ${first + i}` })));
    }
    // A long log has pages, too.
    await filling.putMany(Array.from({ length: 500 }, () => ({ key: "key 50001" })));
    const { rows } = await pool.query(
      "SELECT sum(seq_scan)::int AS whole FROM pg_stat_user_tables WHERE starts_with(relname, $1)",
      [table],
    );
    await use(bucket, 50_000);
    // A connection that ends has told the server what it did.
    await other.end();
    expect(await scans(table, 100_000)).toBe(rows[0].whole);
  });
});
