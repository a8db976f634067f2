import { StoreError, tokenBucket } from "@sluice/core";
import { RedisBucket } from "@sluice/redis";
import { Cluster } from "ioredis";
import { describe, expect, test } from "vitest";
import { RedisCluster } from "../servers/redis-cluster.js";
import type { RedisServer } from "../servers/redis-server.js";
import { Load } from "./load.js";

const RATES = "1000/30d";

describe("RedisBucket on a Cluster, when things go wrong", () => {
  test("SCRIPT FLUSH on every node in mid-load is noticed by nobody", async () => {
    await using cluster = await new RedisCluster().start();
    const client = new Cluster(cluster.addresses, { enableAutoPipelining: true });
    const bucket = new RedisBucket(client, RATES, { algorithm: tokenBucket });
    const loads = Array.from({ length: 6 }, (_, i) => new Load(bucket, `key ${i}`, 5));
    for (let i = 0; i < 5; i++) {
      await Promise.all(loads.map((load) => load.answers(50)));
      await Promise.all(cluster.nodes.map((node) => node.withClient((other) => other.script("FLUSH"))));
    }
    await Promise.all(loads.map((load) => load.answers(900)));
    await Promise.all(loads.map((load) => load.stop()));
    for (const { errors, admitted } of loads) expect([errors, admitted]).toEqual([[], 1000]);
    await client.quit();
  });

  test("a node that dies takes its own keys away while it is gone, and no others", async () => {
    await using cluster = await new RedisCluster().start();
    const url = `redis+cluster://${cluster.addresses.map(({ host, port }) => `${host}:${port}`).join(",")}`;
    await using bucket = await RedisBucket.open(url, RATES, { algorithm: tokenBucket, timeout: 1000 });
    const [staying, , dying] = cluster.nodes;
    const spared = new Load(bucket, await keyOn(staying, (slot) => slot < 5000), 5);
    const struck = new Load(bucket, await keyOn(staying, (slot) => slot > 11_000), 5);
    await struck.answers(300);
    await dying.kill();
    await struck.error();
    await spared.answers(300);
    await dying.start();
    await cluster.ready();
    await Promise.all([struck.answers(2000), spared.answers(1000)]);
    await Promise.all([struck.stop(), spared.stop()]);
    expect(struck.errors.every((error) => error instanceof StoreError)).toBe(true);
    expect(struck.admitted).toBeLessThanOrEqual(2000);
    expect([spared.errors, spared.admitted]).toEqual([[], 1000]);
  });
});

/** A key with a slot of the kind that is wanted. */
async function keyOn(node: RedisServer, wanted: (slot: number) => boolean): Promise<string> {
  return node.withClient(async (client) => {
    for (let i = 0; ; i++) if (wanted(Number(await client.cluster("KEYSLOT", `key ${i}`)))) return `key ${i}`;
  });
}
