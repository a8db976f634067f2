import { randomUUID } from "node:crypto";
import { ALGORITHMS } from "@sluice/conformance";
import {
  type AbstractBucket,
  type Algorithm,
  copyState,
  type Mode,
  type Outcome,
  type State,
  sameState,
} from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import { migrate, PostgresBucket } from "@sluice/postgres";
import { RedisBucket } from "@sluice/redis";
import { SQLiteBucket } from "@sluice/sqlite";
import { Redis } from "ioredis";
import pg from "pg";
import { afterAll, describe, expect, test } from "vitest";
import { postgresUrl, redisUrl } from "../servers/urls.js";

const RATES = ["500/min", "900/h"];
const pool = new pg.Pool({ connectionString: await postgresUrl() });
const client = new Redis(await redisUrl());
const table = `exchange ${randomUUID().slice(0, 8)}`;
await migrate(pool, { table });

afterAll(async () => {
  await pool.end();
  await client.quit();
});

const STORES: Record<string, (rates: readonly string[], algorithm: Algorithm) => AbstractBucket<Mode>> = {
  memory: (rates, algorithm) => new InMemoryBucket(rates, { algorithm }),
  SQLite: (rates, algorithm) => SQLiteBucket.open(":memory:", rates, { algorithm }),
  Redis: (rates, algorithm) => new RedisBucket(client, rates, { algorithm, name: randomUUID() }),
  Postgres: (rates, algorithm) => new PostgresBucket(pool, rates, { algorithm, table, name: randomUUID() }),
};

/** The twin that replaceRates() rests on. */
function exchange(bucket: AbstractBucket<Mode>, from: State, to: State): Promise<boolean> {
  const twins = bucket as unknown as { _exchange(key: string, from: State, to: State): Outcome<Mode, boolean> };
  return Promise.resolve(twins._exchange("ada", from, to));
}

describe.each(Object.keys(STORES))("_exchange() in %s", (store) => {
  describe.each(ALGORITHMS)("under $name", (algorithm) => {
    test.each([
      ["one rate", RATES.slice(0, 1)],
      ["two rates", RATES],
    ])("writes where the state is what it was, and nowhere else: %s", async (_, rates) => {
      const bucket = (STORES[store] as (typeof STORES)[string])(rates, algorithm);
      const { kernel } = bucket;
      const read = async () => (await bucket.read("ada")).state;
      const fresh = kernel.fresh();
      const is = async (state: State) => sameState(kernel, await read(), state);

      expect(await exchange(bucket, fresh, fresh)).toBe(true);
      // More entries than any store keeps in one place, some of them gone again.
      for (let i = 0; i < 150; i++) await bucket.put({ key: "ada", weight: 2 });
      await bucket.refund({ key: "ada", weight: 4 });
      // A unit of the newest entry: a log has as many, at the same times.
      const stale = await read();
      await bucket.refund({ key: "ada", weight: 1 });
      const seen = await read();
      const other = copyState(kernel, seen);
      kernel.take(other, (await bucket.read("ada")).now, 5);

      for (const wrong of [fresh, stale, other]) expect(await exchange(bucket, wrong, other)).toBe(false);
      expect(await exchange(bucket, other, fresh)).toBe(false);
      expect(await is(seen)).toBe(true);
      expect(await exchange(bucket, seen, other)).toBe(true);
      expect(await is(other)).toBe(true);
      expect(await exchange(bucket, seen, fresh)).toBe(false);

      const used = await bucket.count("ada");
      expect((await bucket.charge({ key: "ada", weight: 400 })).allowed).toBe(true);
      expect(await bucket.count("ada")).toBeGreaterThan(used + 390);
      expect(await exchange(bucket, await read(), seen)).toBe(true);
      expect(await is(seen)).toBe(true);
      expect(await exchange(bucket, seen, fresh)).toBe(true);
      expect(await is(fresh)).toBe(true);
      expect(await exchange(bucket, seen, fresh)).toBe(false);
      expect(await exchange(bucket, fresh, other)).toBe(true);
      expect(await is(other)).toBe(true);
      await bucket.close();
    });
  });
});
