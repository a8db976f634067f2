import { randomUUID } from "node:crypto";
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
