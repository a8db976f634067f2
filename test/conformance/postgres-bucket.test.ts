import { randomUUID } from "node:crypto";
import { bucketSuite } from "@sluice/conformance";
import { migrate, PostgresBucket } from "@sluice/postgres";
import pg from "pg";
import { afterAll, describe, test } from "vitest";
import { postgresUrl } from "../servers/urls.js";
import { traceCount } from "../trace-count.js";

const pool = new pg.Pool({ connectionString: await postgresUrl() });
const table = `conformance ${randomUUID().slice(0, 8)}`;
await migrate(pool, { table, unlogged: true });
let buckets = 0;

afterAll(() => pool.end());

describe("PostgresBucket", () => {
  bucketSuite({
    // Thousands of trips one after another, while others use the machine, too.
    test: (name, run) => test.concurrent(name, run, 120_000),
    factory: (rates, options) => new PostgresBucket(pool, rates, { ...options, table, name: `${buckets++}` }),
    supports: { reserve: true, replaceRates: true },
    runs: traceCount(20),
  });
});
