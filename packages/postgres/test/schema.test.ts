import { randomUUID } from "node:crypto";
import { StoreError, slidingWindowLog, tokenBucket } from "@sluice/core";
import { ddl, migrate, PostgresBucket } from "@sluice/postgres";
import pg from "pg";
import { afterAll, describe, expect, test } from "vitest";
import { postgresUrl } from "../../../test/servers/urls.js";

const url = await postgresUrl();
const pool = new pg.Pool({ connectionString: url });
const run = randomUUID().slice(0, 8);

afterAll(() => pool.end());

/** What was last written of the tables and functions that begin with a name. */
async function traces(table: string): Promise<unknown[]> {
  const { rows } = await pool.query(
    `SELECT relname AS name, xmin::text FROM pg_class WHERE starts_with(relname, $1)
     UNION ALL SELECT proname, xmin::text FROM pg_proc WHERE starts_with(proname, $1) ORDER BY 1`,
    [table],
  );
  return rows;
}

describe("migrate()", () => {
  test("writes nothing where all is there", async () => {
    const table = `twice_${run}`;
    await migrate(pool, { table });
    const before = await traces(table);
    expect(before.length).toBeGreaterThan(15);
    await migrate(pool, { table });
    expect(await traces(table)).toEqual(before);
  });

  test("makes up for what is missing, and of an older version", async () => {
    const table = `older_${run}`;
    await migrate(pool, { table });
    const buckets = [tokenBucket, slidingWindowLog].map(
      (algorithm) => new PostgresBucket(pool, "3/30d", { table, algorithm }),
    );
    for (const bucket of buckets) await bucket.put({ key: "ada", weight: 2 });
    await pool.query(
      `DROP FUNCTION ${table}_find, ${table}_log_cancel;
      COMMENT ON TABLE ${table} IS 'Sluice 1: the cells of rate limiters'`,
    );
    await migrate(pool, { table });
    for (const bucket of buckets) {
      expect(await bucket.count("ada")).toBe(2);
      const booking = await bucket.reserve({ key: "ada", weight: 2 });
      expect((await bucket.cancel({ key: "ada" }, booking)).remaining).toBe(0);
      expect(await bucket.count("ada")).toBe(3);
    }
  });

  test("refuses what a newer Sluice has made, and says which", async () => {
    const table = `newer_${run}`;
    await migrate(pool, { table });
    await pool.query(`COMMENT ON TABLE ${table} IS 'Sluice 99: the cells of rate limiters'`);
    const before = await traces(table);
    await expect(migrate(pool, { table })).rejects.toThrow(StoreError);
    await expect(migrate(pool, { table })).rejects.toThrow(/its version is 99.* update @sluice\/postgres/);
    expect(await traces(table)).toEqual(before);
  });

  test("makes UNLOGGED tables when told to, and leaves those alone that are there", async () => {
    const kinds = async (table: string) => {
      const sql = "SELECT relpersistence AS kind FROM pg_class WHERE starts_with(relname, $1) AND relkind = 'r'";
      return (await pool.query(sql, [table])).rows.map(({ kind }) => kind);
    };
    await migrate(pool, { table: `fast_${run}`, unlogged: true });
    await migrate(pool, { table: `safe_${run}` });
    await migrate(pool, { table: `safe_${run}`, unlogged: true });
    expect(await kinds(`fast_${run}`)).toEqual(["u", "u", "u"]);
    expect(await kinds(`safe_${run}`)).toEqual(["p", "p", "p"]);
  });

  test("says what the server has against it", async () => {
    const schema = `nowhere_${run}`;
    await expect(migrate(pool, { schema })).rejects.toThrow(`schema "${schema}" does not exist`);
  });

  test("takes a pool, and nothing else", async () => {
    await expect(migrate(url as unknown as pg.Pool)).rejects.toThrow(
      /Cannot reach Postgres by string: pass a Pool of pg/,
    );
  });
});

describe("ddl()", () => {
  test("is all that a bucket needs, run by hand", async () => {
    const table = `by_hand_${run}`;
    await pool.query(`BEGIN; ${ddl({ table })} COMMIT`);
    await using bucket = await PostgresBucket.open(url, "3/min", { table, migrate: false });
    expect((await bucket.put({ key: "ada" })).remaining).toBe(2);
  });

  test("asks of those who use it for nothing but rows", async () => {
    const table = `granted_${run}`;
    const role = `user_${run}`;
    await migrate(pool, { table });
    await pool.query(
      `CREATE ROLE ${role} LOGIN PASSWORD 'limits'; GRANT SELECT, INSERT, UPDATE, DELETE ON ${table}, ${table}_logs, ${table}_pages TO ${role}`,
    );
    const other = new URL(url);
    other.username = role;
    other.password = "limits";
    await using bucket = await PostgresBucket.open(other.href, "3/min", { table });
    expect((await bucket.put({ key: "ada" })).remaining).toBe(2);
    expect(await bucket.leak()).toBe(0);
  });
});

describe("PostgresBucket.open() with migrate: false", () => {
  test("says at once that the tables are missing, and makes none", async () => {
    const table = `missing_${run}`;
    const opening = PostgresBucket.open(url, "3/min", { table, migrate: false });
    await expect(opening).rejects.toThrow(/"missing_.*" is missing, or of another version: call migrate\(\).*ddl\(\)/);
    expect(await traces(table)).toEqual([]);
  });

  test.each(["put", "peek", "count", "leak", "flush"] as const)("and a pool: %s names the way out", async (method) => {
    const bucket = new PostgresBucket(pool, "3/min", { table: `missing_${run}`, algorithm: tokenBucket });
    const call = {
      put: () => bucket.put({ key: "ada" }),
      peek: () => bucket.peek({ key: "ada" }),
      count: () => bucket.count("ada"),
      leak: () => bucket.leak(),
      flush: () => bucket.flush(),
    }[method];
    await expect(call()).rejects.toThrow(StoreError);
    await expect(call()).rejects.toThrow(
      /Call migrate\(\) once with the same table and schema, or run the SQL that ddl\(\)/,
    );
  });
});
