import { randomUUID } from "node:crypto";
import { slidingWindowLog, tokenBucket } from "@sluice/core";
import { RedisBucket } from "@sluice/redis";
import { Cluster, type Redis } from "ioredis";
import { afterAll, describe, expect, test } from "vitest";
import { clusterNodes } from "../../../test/servers/urls.js";

const nodes = [...(await clusterNodes())];
const client = new Cluster(nodes);
afterAll(() => client.quit());

/** Keys whose names could be taken apart in more than one way. */
const BRACES = [
  "",
  "}",
  "{",
  "{}",
  "}{",
  "}}",
  "}a",
  "a",
  "a}",
  "{a",
  "{a}",
  "{a}{b}",
  "a{b}c",
  "}a}b",
  "\ud800",
  "}\ud800",
  "ѐ}",
];

/** The names of all cells of a bucket, on whatever node. */
async function cells(name: string): Promise<string[]> {
  const ofNode = (node: Redis) => node.keys(`*${name}*`);
  return (await Promise.all(client.nodes("master").map(ofNode))).flat();
}

describe("RedisBucket on a Cluster", () => {
  test.each([
    [tokenBucket, false],
    [slidingWindowLog, true],
  ])(
    "sends all keys of a trip to one slot, whatever braces they hold: $name, automatic pipelines %s",
    async (algorithm, enableAutoPipelining) => {
      const own = new Cluster(nodes, { enableAutoPipelining });
      const bucket = new RedisBucket(own, "3/min", { algorithm, name: randomUUID() });
      const items = BRACES.map((key, i) => ({ key, weight: 1 + (i % 3) }));
      for (const { remaining, rate } of await bucket.putMany(items)) expect(remaining).toBeLessThan(rate.limit);
      for (const { key, weight } of items) expect(await bucket.count(key)).toBe(weight);
      await own.quit();
    },
  );

  test("names cells so that Redis and the client agree about their slots", async () => {
    const name = randomUUID();
    const bucket = new RedisBucket(client, "3/min", { name });
    await bucket.putMany(BRACES.map((key) => ({ key })));
    expect((await cells(name)).length).toBe(BRACES.length);
    await bucket.flush("}a");
    expect((await cells(name)).length).toBe(BRACES.length - 1);
  });

  test("leaks and flushes on every node, also by a client that has just been made", async () => {
    const name = randomUUID();
    const bucket = new RedisBucket(client, "3/min", { name });
    const items = Array.from({ length: 500 }, (_, i) => ({ key: `${i}` }));
    await bucket.putMany(items);
    expect(await bucket.leak()).toBe(0);
    expect(await bucket.leak(Date.now() + 120_000)).toBe(500);
    await bucket.putMany(items);
    const fresh = new Cluster(nodes);
    await new RedisBucket(fresh, "3/min", { name }).flush();
    await fresh.quit();
    expect(await cells(name)).toEqual([]);
  });

  test("opens by a URL of one node or of all, and takes every node at once", async () => {
    const name = randomUUID();
    for (const some of [nodes.slice(0, 1), nodes]) {
      const url = `redis+cluster://${some.map(({ host, port }) => `${host}:${port}`).join(",")}`;
      const bucket = await RedisBucket.open(url, "100/min", { name });
      const puts = Array.from({ length: 200 }, (_, i) => bucket.tryPut(`${i}`));
      expect((await Promise.all(puts)).every((admitted) => admitted)).toBe(true);
      await bucket.close();
    }
    expect(await new RedisBucket(client, "100/min", { name }).count("7")).toBe(2);
  });

  test("a closed bucket leaves a borrowed client open", async () => {
    const bucket = new RedisBucket(client, "3/min", { name: randomUUID() });
    await bucket.put({ key: "ada" });
    await bucket.close();
    expect(client.status).toBe("ready");
  });
});
