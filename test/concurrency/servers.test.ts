import { randomUUID } from "node:crypto";
import { fixedWindow, slidingWindowLog, tokenBucket } from "@sluice/core";
import { PostgresBucket } from "@sluice/postgres";
import { RedisBucket } from "@sluice/redis";
import { describe, expect, test } from "vitest";
import { clusterNodes, postgresUrl, redisUrl } from "../servers/urls.js";
import { type Job, race } from "./processes.js";

const STORES: readonly [name: string, store: Job["store"], url: () => Promise<string>][] = [
  ["Redis", "redis", redisUrl],
  ["Redis Cluster", "redis", clusterUrl],
  ["Postgres", "postgres", postgresUrl],
];

async function clusterUrl(): Promise<string> {
  return `redis+cluster://${(await clusterNodes()).map(({ host, port }) => `${host}:${port}`).join(",")}`;
}

describe.each(STORES)("%s, 8 processes with 200 tries each on a cold key", (_, store, url) => {
  test.each([
    // One after another, and many at once, so that trips carry several.
    ["token-bucket", 1],
    ["sliding-window-log", 20],
  ])("admit exactly the capacity: %s, %i at once in each", async (algorithm, inFlight) => {
    const job: Job = {
      store,
      at: await url(),
      // Nothing flows back while the test runs.
      rates: "100/30d",
      algorithm,
      key: "cold",
      options: { name: randomUUID() },
      tries: 200 / inFlight,
      inFlight,
    };
    const results = await race(Array.from({ length: 8 }, () => job));
    expect(results.flatMap(({ errors }) => errors)).toEqual([]);
    expect(results.reduce((sum, { admitted }) => sum + admitted, 0)).toBe(100);
  });
});

describe.each(STORES)("%s, 8 processes that replace the rates while all put", (_, store, url) => {
  test.each([tokenBucket, slidingWindowLog, fixedWindow])("carry each unit over once: $name", async (algorithm) => {
    const [at, name, rates] = [await url(), randomUUID(), "150/30d"];
    const job: Job = {
      store,
      at,
      rates: "100/30d",
      algorithm: algorithm.name,
      key: "cold",
      options: { name },
      tries: 100,
      replaceAt: 5,
      replaceBy: rates,
    };
    const results = await race(Array.from({ length: 8 }, () => job));
    expect(results.flatMap(({ errors }) => errors)).toEqual([]);
    const total = results.reduce((sum, { admitted }) => sum + admitted, 0);
    await using bucket = await (store === "redis" ? RedisBucket : PostgresBucket).open(at, rates, { name, algorithm });
    expect(await bucket.count("cold")).toBe(total);
    // Who still goes by the old rates does not see what was carried over from under it.
    expect([total >= 150, total <= 150 + 8 * 5]).toEqual([true, true]);
  });
});

test("Postgres, 8 processes that make the tables at the same moment", async () => {
  const job: Job = {
    store: "postgres",
    at: await postgresUrl(),
    rates: "100/30d",
    algorithm: "token-bucket",
    key: "cold",
    options: { table: `made_by_8_${randomUUID().slice(0, 8)}` },
    tries: 20,
    opensAtStart: true,
  };
  const results = await race(Array.from({ length: 8 }, () => job));
  expect(results.flatMap(({ errors }) => errors)).toEqual([]);
  expect(results.reduce((sum, { admitted }) => sum + admitted, 0)).toBe(100);
});

describe.each(STORES)("%s, 1,000 waiters over 4 processes on one key", (_, store, url) => {
  test.each([
    ["token-bucket", "1200/s burst 60"],
    ["sliding-window-log", "400/300ms"],
    // Cannot book: it is asked again when there may be units.
    ["fixed-window", "400/300ms"],
  ])("pass, and ask the store no more than twice as often as they are admitted: %s", async (algorithm, rates) => {
    const at = await url();
    const job: Job = { store, at, rates, algorithm, key: "hot", options: { name: randomUUID() }, waiters: 250 };
    const results = await race(Array.from({ length: 4 }, () => job));
    expect(results.map(({ errors, admitted }) => ({ errors, admitted }))).toEqual(
      results.map(() => ({ errors: [], admitted: 250 })),
    );
    expect(results.reduce((sum, { operations }) => sum + operations, 0)).toBeLessThanOrEqual(2000);
  });
});
