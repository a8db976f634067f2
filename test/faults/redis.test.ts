import { StoreError, slidingWindowLog, tokenBucket } from "@sluice/core";
import { RedisBucket } from "@sluice/redis";
import { Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import { RedisServer } from "../servers/redis-server.js";
import { Load } from "./load.js";

/** Nothing flows back while a test runs. */
const RATES = "1000/30d";
const STUCK = { timeout: 300 };

describe("RedisBucket, when things go wrong", () => {
  test.each([
    ["without pipelines", false],
    ["with automatic pipelines", true],
  ])("SCRIPT FLUSH in mid-load is noticed by nobody, %s", async (_, enableAutoPipelining) => {
    await using server = await new RedisServer().start();
    const client = new Redis(server.port, server.host, { enableAutoPipelining });
    const bucket = new RedisBucket(client, RATES, { algorithm: tokenBucket });
    const load = new Load(bucket, "ada");
    await server.withClient(async (other) => {
      for (let i = 0; i < 20; i++) {
        await load.answers(100);
        await other.script("FLUSH");
      }
    });
    await load.answers(100);
    await load.stop();
    expect([load.errors, load.admitted]).toEqual([[], 1000]);
    // Each flush costs the one trip that notices it one EVAL.
    expect(calls(await client.info("commandstats"), "eval")).toBeLessThanOrEqual(21);
    await bucket.close();
    expect(client.status).toBe("ready");
    await client.quit();
  });

  test.each([tokenBucket, slidingWindowLog])(
    "a Redis that dies and comes back empty costs at most a capacity: $name",
    async (algorithm) => {
      await using server = await new RedisServer().start();
      await using bucket = await RedisBucket.open(server.url, RATES, { algorithm, timeout: 2000 });
      const load = new Load(bucket, "ada");
      await load.answers(500);
      await server.kill();
      await load.error();
      await server.start();
      await load.answers(2000);
      await load.stop();
      expect(load.errors.every((error) => error instanceof StoreError)).toBe(true);
      expect(load.admitted).toBeGreaterThanOrEqual(1000);
      expect(load.admitted).toBeLessThanOrEqual(2000);
      expect(await bucket.tryPut("ada")).toBe(false);
    },
  );

  test("a Redis that keeps its file admits the capacity and no more", async () => {
    await using server = await new RedisServer({ appendOnly: true, settings: { appendfsync: "always" } }).start();
    await using bucket = await RedisBucket.open(server.url, RATES, { algorithm: tokenBucket, timeout: 2000 });
    const load = new Load(bucket, "ada");
    await load.answers(500);
    await server.kill();
    await load.error();
    await server.start();
    await load.answers(1000);
    await load.stop();
    expect(load.admitted).toBeLessThanOrEqual(1000);
    expect(await bucket.count("ada")).toBe(1000);
  });

  test("a Redis that does not answer is a STORE_TIMEOUT in time, and service comes back by itself", async () => {
    await using server = await new RedisServer().start();
    await using bucket = await RedisBucket.open(server.url, RATES, STUCK);
    await bucket.put({ key: "ada" });
    process.kill(server.pid, "SIGSTOP");
    const start = performance.now();
    await expect(bucket.put({ key: "ada" })).rejects.toMatchObject({ name: "StoreError", code: "STORE_TIMEOUT" });
    const waited = performance.now() - start;
    expect(waited).toBeGreaterThanOrEqual(STUCK.timeout);
    expect(waited).toBeLessThan(10 * STUCK.timeout);
    process.kill(server.pid, "SIGCONT");
    const load = new Load(bucket, "bob", 1);
    await load.answers(1);
    await load.stop();
  });

  test("what is no script error is not tried again, and comes with its cause", async () => {
    await using server = await new RedisServer().start();
    await using bucket = await RedisBucket.open(server.url, RATES, { prefix: "mine" });
    await bucket.put({ key: "ada" });
    await server.withClient(async (other) => {
      const [name] = await other.keys("mine:*");
      await other.del(name as string);
      await other.lpush(name as string, "not a cell");
      const before = await other.info("commandstats");
      const error: unknown = await bucket.put({ key: "ada" }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(StoreError);
      expect(error).toMatchObject({ code: "STORE", cause: { message: expect.stringContaining("WRONGTYPE") } });
      const after = await other.info("commandstats");
      expect(calls(after, "evalsha") - calls(before, "evalsha")).toBe(1);
      expect(calls(after, "eval")).toBe(calls(before, "eval"));
    });
  });

  test("a place where no Redis is fails in time, and tells no password", async () => {
    await using server = await new RedisServer().start();
    const { port } = server;
    await server.shutdown();
    const error: unknown = await RedisBucket.open(`redis://ada:secret@127.0.0.1:${port}`, RATES, STUCK).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(StoreError);
    expect(String(error)).not.toContain("secret");
  });

  test("close waits for what is in flight", async () => {
    await using server = await new RedisServer().start();
    const bucket = await RedisBucket.open(server.url, RATES);
    const puts = Array.from({ length: 50 }, () => bucket.tryPut("ada"));
    await bucket.close();
    expect(await Promise.all(puts)).toEqual(puts.map(() => true));
    expect(await server.withClient(async (other) => (await other.client("LIST")) as string)).not.toMatch(/cmd=evalsha/);
  });
});

/** How often a command was called, by what INFO says. */
function calls(info: string, command: string): number {
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(info)?.[1] ?? 0);
}
