import { randomUUID } from "node:crypto";
import { ALGORITHMS } from "@sluice/conformance";
import { type Algorithm, cellPrefix, Limiter, ManualClock, Rate, slidingWindowLog, tokenBucket } from "@sluice/core";
import { migrate, PostgresBucket, type PostgresBucketOptions, PostgresClock } from "@sluice/postgres";
import pg from "pg";
import { afterAll, describe, expect, test } from "vitest";
import { postgresUrl } from "../../../test/servers/urls.js";

const url = await postgresUrl();
const pool = new pg.Pool({ connectionString: url });
const table = `buckets_${randomUUID().slice(0, 8)}`;
await migrate(pool, { table, unlogged: true });
let names = 0;

afterAll(() => pool.end());

function open(rates: string | Rate[], options: PostgresBucketOptions = {}): PostgresBucket {
  return new PostgresBucket(pool, rates, { algorithm: tokenBucket, table, name: `${names++}`, ...options });
}

/** The cells of a bucket. */
async function rowsOf(name: string): Promise<number> {
  const sql = `SELECT count(*)::int AS rows FROM ${table} WHERE starts_with(encode(key, 'escape'), $1)`;
  return (await pool.query(sql, [`${name}:`])).rows[0].rows;
}

describe("PostgresBucket on the server's clock", () => {
  test.each(ALGORITHMS)("retryAfter is true: refused before it, admitted at it: $name", async (algorithm) => {
    const bucket = open("2/200ms", { algorithm });
    const start = await bucket.now();
    let refused = await bucket.put({ key: "ada" });
    while (refused.allowed) refused = await bucket.put({ key: "ada" });
    const asked = await bucket.now();
    expect(refused.retryAfter).toBeGreaterThan(0);
    expect(refused.retryAfter).toBeLessThanOrEqual(400);
    await new Promise((resolve) => setTimeout(resolve, Math.ceil(refused.retryAfter)));
    expect((await bucket.peek({ key: "ada" })).allowed).toBe(true);
    expect((await bucket.now()) - start).toBeGreaterThanOrEqual(asked - start + refused.retryAfter);
  });

  test("many keys in one trip are decided at one instant, by puts alike and by others", async () => {
    const bucket = open("10/30d");
    const keys = Array.from({ length: 50 }, (_, i) => `key ${i}`);
    const decisions = await bucket.putMany(keys.flatMap((key) => [{ key }, { key }]));
    expect(decisions.map(({ remaining }) => remaining)).toEqual(keys.flatMap(() => [9, 8]));
    expect(new Set(decisions.map(({ resetAfter }) => resetAfter)).size).toBe(2);
    await Promise.all([...keys.map((key) => bucket.charge({ key, weight: 3 })), bucket.put({ key: "ada", weight: 4 })]);
    expect(await Promise.all(keys.map((key) => bucket.count(key)))).toEqual(keys.map(() => 5));
    expect(await bucket.count("ada")).toBe(4);
  });

  test("has the time of the server, to the microsecond", async () => {
    const clock = new PostgresClock(pool);
    const times = [await clock.now(), await clock.now(), await clock.now()];
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times.every((ms) => Number.isInteger(Math.round(ms * 1000)))).toBe(true);
    expect(times.some((ms) => !Number.isInteger(ms))).toBe(true);
    const { rows } = await pool.query("SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS ms");
    expect(Math.abs(rows[0].ms - (times[2] as number))).toBeLessThan(10_000);
  });

  test("waits with a Limiter", async () => {
    const limiter = new Limiter(open("1/50ms"));
    await limiter.acquire("ada");
    const start = performance.now();
    await limiter.acquire("ada");
    expect(performance.now() - start).toBeGreaterThan(30);
  });
});

describe("PostgresBucket, one statement a trip", () => {
  /** A pool that counts what goes through it. */
  function counted(algorithm: Algorithm) {
    const queries: string[] = [];
    const watched: typeof pool = Object.create(pool, {
      query: {
        value: (query: pg.QueryArrayConfig) => {
          queries.push(query.text);
          return pool.query(query);
        },
      },
    });
    const options = { algorithm, table, name: `${names++}` };
    return { queries, bucket: new PostgresBucket(watched, "100/min", options) };
  }

  test.each(ALGORITHMS)("whatever it carries: $name", async (algorithm) => {
    const { queries, bucket } = counted(algorithm);
    await bucket.put({ key: "ada" });
    expect(queries).toHaveLength(1);
    await Promise.all(Array.from({ length: 300 }, (_, i) => bucket.put({ key: `key ${i % 70}` })));
    expect(queries).toHaveLength(2);
    const operations = ["put", "peek", "charge", "refund", "put"] as const;
    const mixed = Array.from({ length: 200 }, (_, i) =>
      bucket[operations[i % 5] ?? "put"]({ key: `key ${i % 9}`, weight: 1 + (i % 3) }),
    );
    await Promise.all([...mixed, bucket.peek({ key: "mia" })]);
    expect(queries).toHaveLength(3);
    await Promise.all([bucket.peek({ key: "ada" }), bucket.waiting({ key: "bob" })]);
    expect(queries).toHaveLength(4);
  });

  test.each([tokenBucket, slidingWindowLog])("asking leaves no row behind: $name", async (algorithm) => {
    const name = `${names++}`;
    const bucket = open("5/min", { name, algorithm });
    await bucket.peek({ key: "ada" });
    await bucket.put({ key: "ada", weight: 0 });
    await bucket.put({ key: "ada", weight: 6 });
    await bucket.count("ada");
    expect(await rowsOf(name)).toBe(0);
    expect(await bucket.leak((await bucket.now()) + 1e9)).toBe(0);
  });
});

describe("PostgresBucket, keys", () => {
  test("however long take a short row, and no two share it", async () => {
    const name = `${names++}`;
    const bucket = open("5/min", { name });
    const long = "k".repeat(2 ** 20);
    const keys = [long, `${long}x`, "k".repeat(1000), "k".repeat(1001), "\ud800".repeat(600), "\ud801".repeat(600)];
    for (const [i, key] of keys.entries()) await bucket.put({ key, weight: i % 5 });
    for (const [i, key] of keys.entries()) expect(await bucket.count(key)).toBe(i % 5);
    const { rows } = await pool.query(`SELECT max(length(key)) AS longest FROM ${table}`);
    expect(rows[0].longest).toBeLessThan(1200);
  });

  test("of a bucket with a very long name are apart from others, and flushed alone", async () => {
    const rates = Array.from({ length: 3 }, (_, i) => new Rate(10 + i, 1000 * 2 ** (i + 1)));
    const [one, two] = ["a", "b"].map((end) => open(rates, { name: `${"é".repeat(199)}${end}` })) as [
      PostgresBucket,
      PostgresBucket,
    ];
    expect(cellPrefix("é".repeat(199), tokenBucket, rates).length).toBeGreaterThan(1000);
    await one.put({ key: "ada", weight: 3 });
    expect(await two.count("ada")).toBe(0);
    await two.flush();
    expect(await one.count("ada")).toBe(3);
    await one.flush();
    expect(await one.count("ada")).toBe(0);
  });
});

describe.each([tokenBucket, slidingWindowLog])("PostgresBucket, cleaning up: $name", (algorithm) => {
  const rows = algorithm === slidingWindowLog ? `${table}_logs` : table;

  /** A bucket with so many keys that are as good as new after a minute, and others for an hour. */
  async function filled(keys: number) {
    const clock = new ManualClock(1_000_000_000);
    const bucket = open([new Rate(60, 60_000), new Rate(100, 3_600_000)], { algorithm, clock, maxTrip: 5000 });
    const others = open("5/min", { algorithm, clock });
    await bucket.putMany(Array.from({ length: keys }, (_, i) => ({ key: `key ${i}` })));
    await others.put({ key: "ada" });
    return { clock, bucket, others };
  }

  test("leak drops what is as good as new in all of the bucket, batch by batch, and nothing else", async () => {
    const { clock, bucket, others } = await filled(1300);
    clock.advance(3_599_999);
    await bucket.put({ key: "key 7" });
    const tenMinutes = clock.now() + 600_000;
    expect(await bucket.leak()).toBe(algorithm === slidingWindowLog ? 0 : 1299);
    expect(await bucket.leak(tenMinutes)).toBe(algorithm === slidingWindowLog ? 1299 : 1);
    expect(await bucket.leak(tenMinutes + 1e10)).toBe(algorithm === slidingWindowLog ? 1 : 0);
    expect(await others.leak()).toBe(1);
  });

  test("sweep stops when its time is over, and goes on from there", async () => {
    const { clock, bucket } = await filled(600);
    clock.advance(1e10);
    // These come first, and stay.
    await bucket.putMany(Array.from({ length: 700 }, (_, i) => ({ key: `a key ${i}` })));
    expect([await bucket.sweep(0), await bucket.sweep(0), await bucket.sweep(0)]).toEqual([true, true, false]);
    expect(await bucket.leak()).toBe(0);
    expect(await bucket.sweep(1000)).toBe(false);
  });

  test("leak passes by the rows that somebody uses", async () => {
    const { clock, bucket } = await filled(3);
    clock.advance(1e10);
    const client = await pool.connect();
    await client.query("BEGIN");
    await client.query(`SELECT 1 FROM ${rows} WHERE encode(key, 'escape') LIKE '%key 1' FOR UPDATE`);
    expect(await bucket.leak()).toBe(2);
    await client.query("ROLLBACK");
    client.release();
    expect(await bucket.leak()).toBe(1);
  });

  test("flush forgets the keys of this bucket, however many", async () => {
    const { bucket, others } = await filled(1300);
    await bucket.flush();
    expect(await bucket.count("key 1299")).toBe(0);
    expect(await bucket.leak(2e12)).toBe(0);
    expect(await others.count("ada")).toBe(1);
  });
});

describe("PostgresBucket, connections", () => {
  test("that are borrowed stay open when the bucket closes, after what is underway", async () => {
    const bucket = open("5/min");
    const put = bucket.put({ key: "ada" });
    await bucket.close();
    await bucket.close();
    expect((await put).remaining).toBe(4);
    expect((await pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
    await expect(bucket.put({ key: "ada" })).rejects.toMatchObject({ code: "CLOSED" });
  });

  test("of its own are gone when it is closed", async () => {
    const bucket = await PostgresBucket.open(url, "5/min", { table });
    await bucket.count("ada");
    const sql = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'sluice' AND query LIKE $1";
    const connections = async () => (await pool.query(sql, [`%${table}%`])).rows[0].n;
    expect(await connections()).toBeGreaterThan(0);
    await bucket.close();
    await expect.poll(connections).toBe(0);
  });

  test("whose transactions are serializable, and keep nothing prepared, decide the same", async () => {
    const other = new pg.Pool({ connectionString: url, options: "-c default_transaction_isolation=serializable" });
    const options = { table, name: `${names++}`, algorithm: tokenBucket, prepare: false };
    const buckets = Array.from({ length: 4 }, () => new PostgresBucket(other, "20/30d", options));
    const tries = Array.from({ length: 10 }, () => Promise.all(buckets.map((bucket) => bucket.tryPut("ada"))));
    expect((await Promise.all(tries)).flat().filter(Boolean)).toHaveLength(20);
    const { rows } = await other.query("SELECT count(*)::int AS prepared FROM pg_prepared_statements");
    expect(rows).toEqual([{ prepared: 0 }]);
    await other.end();
  });

  test("are not made for what is no URL of Postgres", async () => {
    await expect(PostgresBucket.open("redis://localhost", "5/min")).rejects.toThrow(/write it as postgres:\/\/user/);
    await expect(PostgresBucket.open(7 as unknown as string, "5/min")).rejects.toThrow(TypeError);
    expect(() => new PostgresBucket(null as unknown as pg.Pool, "5/min")).toThrow(/Cannot reach Postgres by null/);
  });
});

test("PostgresBucket refuses a rule that it has no dialect of", () => {
  const algorithm: Algorithm = {
    name: "mine",
    compile: (rates) => Object.assign(tokenBucket.compile(rates), { rule: "my-rule" }),
  };
  expect(() => open("5/min", { algorithm })).toThrow(TypeError);
  expect(() => open("5/min", { algorithm })).toThrow(
    /Cannot decide by the rule "my-rule" in Postgres: .*@sluice\/core/,
  );
});
