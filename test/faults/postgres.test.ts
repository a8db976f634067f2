import { StoreError, slidingWindowLog, tokenBucket } from "@sluice/core";
import { PostgresBucket } from "@sluice/postgres";
import pg from "pg";
import { describe, expect, test } from "vitest";
import { PostgresServer } from "../servers/postgres-server.js";
import { postgresUrl } from "../servers/urls.js";
import { Load } from "./load.js";

/** Nothing flows back while a test runs. */
const RATES = "200/30d";

describe("PostgresBucket, when things go wrong", () => {
  test.each([
    ["stopped and started", "shutdown", tokenBucket],
    ["crashed", "kill", slidingWindowLog],
  ] as const)("a server that is %s in mid-load (%s) loses nothing: $name", async (_, end, algorithm) => {
    await using server = await new PostgresServer().start();
    await using bucket = await PostgresBucket.open(server.url, RATES, { algorithm, timeout: 3000 });
    const load = new Load(bucket, "ada");
    await load.answers(100);
    await server[end]();
    await load.error();
    await server.start();
    await load.answers(200);
    await load.stop();
    expect(load.errors.every((error) => error instanceof StoreError)).toBe(true);
    expect(load.admitted).toBeLessThanOrEqual(200);
    expect(await bucket.count("ada")).toBe(200);
  });

  test("a crash empties an UNLOGGED table, and costs at most a capacity", async () => {
    await using server = await new PostgresServer().start();
    await using bucket = await PostgresBucket.open(server.url, RATES, {
      algorithm: tokenBucket,
      unlogged: true,
      timeout: 3000,
    });
    const load = new Load(bucket, "ada");
    await load.answers(100);
    await server.kill();
    await load.error();
    await server.start();
    await load.answers(400);
    await load.stop();
    expect(load.admitted).toBeGreaterThan(200);
    expect(load.admitted).toBeLessThanOrEqual(400);
  });

  test("a row that another session holds is a STORE_TIMEOUT in time, and service comes back by itself", async () => {
    const url = await postgresUrl();
    const table = "held_rows";
    await using bucket = await PostgresBucket.open(url, RATES, { algorithm: tokenBucket, table, timeout: 300 });
    await bucket.put({ key: "ada" });
    const client = new pg.Client(url);
    await client.connect();
    await client.query(`BEGIN; SELECT * FROM ${table} FOR UPDATE`);
    const start = performance.now();
    await expect(bucket.put({ key: "ada" })).rejects.toMatchObject({ name: "StoreError", code: "STORE_TIMEOUT" });
    expect(performance.now() - start).toBeGreaterThanOrEqual(300);
    await client.query("ROLLBACK");
    await client.end();
    expect((await bucket.put({ key: "bob" })).allowed).toBe(true);
    await expect.poll(() => bucket.tryPut("ada"), { timeout: 5000 }).toBe(true);
  });

  test("trips over the same keys in opposite order never wait for each other in a circle", async () => {
    const url = await postgresUrl();
    const pools = Array.from({ length: 4 }, () => new pg.Pool({ connectionString: url, max: 2 }));
    const options = { algorithm: tokenBucket, table: "no_circles" };
    await (await PostgresBucket.open(url, RATES, options)).close();
    const buckets = pools.map((pool) => new PostgresBucket(pool, RATES, options));
    const items = Array.from({ length: 40 }, (_, i) => ({ key: `key ${i}` }));
    for (let round = 0; round < 20; round++) {
      await Promise.all(buckets.map((bucket, i) => bucket.putMany(i % 2 === 0 ? items : [...items].reverse())));
    }
    expect(await Promise.all(items.map(({ key }) => buckets[0]?.count(key)))).toEqual(items.map(() => 80));
    for (const bucket of buckets) await bucket.close();
    for (const pool of pools) await pool.end();
  });

  test("without its tables it names the way out, and makes none", async () => {
    const pool = new pg.Pool({ connectionString: await postgresUrl() });
    const bucket = new PostgresBucket(pool, RATES, { table: "never_made" });
    await expect(bucket.put({ key: "ada" })).rejects.toThrow(/migrate/);
    const { rows } = await pool.query("SELECT 1 FROM pg_tables WHERE tablename LIKE 'never_made%'");
    expect(rows).toEqual([]);
    await bucket.close();
    expect((await pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
    await pool.end();
  });

  test("a place where no server is fails in time, and tells no password", async () => {
    await using server = await new PostgresServer().start();
    const { port } = server;
    await server.shutdown();
    const url = `postgres://ada:secret@127.0.0.1:${port}/postgres`;
    const error: unknown = await PostgresBucket.open(url, RATES, { timeout: 500 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StoreError);
    expect(String(error)).not.toContain("secret");
  });
});
