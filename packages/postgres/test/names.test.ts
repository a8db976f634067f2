import { randomUUID } from "node:crypto";
import { tokenBucket } from "@sluice/core";
import { ddl, migrate, PostgresBucket } from "@sluice/postgres";
import pg from "pg";
import { afterAll, describe, expect, test } from "vitest";
import { postgresUrl } from "../../../test/servers/urls.js";

const url = await postgresUrl();
const pool = new pg.Pool({ connectionString: url });
const run = randomUUID().slice(0, 8);

afterAll(() => pool.end());

const HOSTILE = [
  `"; DROP TABLE ${run}; --`,
  `'; DROP TABLE ${run}; --`,
  `$sluice0$ ${run} $$`,
  `a\\' ${run}`,
  `{cells} ${run}`,
  `Ünïcödé % ${run}`,
];

describe("The names of tables and schemas", () => {
  test.each(HOSTILE)("may be anything, and are quoted: %s", async (name) => {
    await pool.query(`CREATE SCHEMA ${pg.escapeIdentifier(name)}`);
    const options = { table: name, schema: name, algorithm: tokenBucket };
    // A server that takes backslashes for escapes reads the same.
    const old = new pg.Pool({ connectionString: url, options: "-c standard_conforming_strings=off" });
    await migrate(name.includes("\\") ? old : pool, options);
    await migrate(pool, options);
    const bucket = new PostgresBucket(pool, "3/min", options);
    expect((await bucket.put({ key: "ada", weight: 2 })).remaining).toBe(1);
    const { rows } = await pool.query("SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY 1", [name]);
    expect(rows.map(({ tablename }) => tablename)).toEqual([name, `${name}_logs`, `${name}_pages`]);
    await old.end();
  });

  test.each([
    ["table", "", /Cannot use "" as the name of a table: it has 1 to 50 bytes/],
    ["table", "x".repeat(51), /as the name of a table: it has 1 to 50 bytes/],
    ["table", "é".repeat(26), /as the name of a table/],
    ["schema", "x".repeat(64), /as the name of a schema: it has 1 to 63 bytes/],
    ["table", "a\0b", /holds no NUL/],
    ["schema", "\ud800", /is well-formed/],
  ])("that Postgres would change are refused: %s %j", (what, name, message) => {
    expect(() => new PostgresBucket(pool, "3/min", { [what]: name })).toThrow(RangeError);
    expect(() => ddl({ [what]: name })).toThrow(message);
  });

  test("are strings", () => {
    expect(() => ddl({ table: 7 as unknown as string })).toThrow(TypeError);
  });

  test("as long as they may be are told apart in all that is named after them", async () => {
    const names = ["a", "b"].map((end) => `${run}${"x".repeat(41)}${end}`);
    for (const table of names) await migrate(pool, { table });
    const buckets = names.map((table) => new PostgresBucket(pool, "3/min", { table }));
    for (const bucket of buckets) expect((await bucket.put({ key: "ada" })).remaining).toBe(2);
  });
});
