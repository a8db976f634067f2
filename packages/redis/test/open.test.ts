import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { StoreError } from "@sluice/core";
import { RedisBucket } from "@sluice/redis";
import { Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import { RedisServer } from "../../../test/servers/redis-server.js";
import { parseRedisUrl } from "../src/redis-url.js";

const run = promisify(execFile);
const PASSWORD = "s3cr:et/@";

describe("RedisBucket.open()", () => {
  test("opens a database with a user and a password, and closes its connection", async () => {
    await using server = await new RedisServer().start();
    const admin = new Redis(server.port, server.host, { db: 3 });
    await admin.acl("SETUSER", "ada", "on", `>${PASSWORD}`, "~*", "+@all");
    const url = (password: string) => `redis://ada:${encodeURIComponent(password)}@${server.host}:${server.port}/3`;
    const bucket = await RedisBucket.open(url(PASSWORD), "5/min");
    await bucket.put({ key: "ada" });
    expect(await admin.dbsize()).toBe(1);
    await bucket.close();
    await bucket.close();
    expect(String(await admin.client("LIST")).match(/user=ada/g)).toBeNull();
    const error: unknown = await RedisBucket.open(url("wrong"), "5/min", { timeout: 1000 }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(StoreError);
    expect(String(error)).toMatch(/^StoreError: Cannot open "redis:\/\/127.*3": Redis failed \(WRONGPASS/);
    await admin.quit();
  });

  test("fails in time where no server listens, or none of a Cluster", async () => {
    const server = await new RedisServer().start();
    await server.stop();
    const place = `${server.host}:${server.port}`;
    const places = [
      [`redis://${place}`, `connect ECONNREFUSED ${place}`],
      // Of a Cluster ioredis does not tell more.
      [`redis+cluster://${place}`, "Connection is closed."],
    ] as const;
    for (const [url, reason] of places) {
      const start = performance.now();
      const error: unknown = await RedisBucket.open(url, "5/min", { timeout: 3000 }).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(StoreError);
      expect(String(error)).toContain(`Cannot open "${url}": Redis failed (${reason})`);
      expect(performance.now() - start).toBeLessThan(3500);
    }
  });

  test("says which packages to install where ioredis is missing", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-redis-"));
    try {
      const modules = join(folder, "node_modules");
      const redis = fileURLToPath(new URL("..", import.meta.url));
      await mkdir(join(modules, "@sluice"), { recursive: true });
      for (const part of ["dist", "package.json"])
        await cp(join(redis, part), join(modules, "@sluice/redis", part), { recursive: true });
      await symlink(join(redis, "../core"), join(modules, "@sluice/core"));
      await symlink(join(redis, "node_modules/cluster-key-slot"), join(modules, "cluster-key-slot"));
      const program = `const { RedisBucket } = await import("@sluice/redis");
        await RedisBucket.open("redis://:secret@localhost", "5/min").catch((error) => console.log(String(error)));`;
      const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", program], { cwd: folder });
      const hint = "the package ioredis is not installed. Run npm install @sluice/redis ioredis.";
      expect(stdout.trim()).toBe(`Error: Cannot open "redis://localhost": ${hint}`);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("lets the process end once it is closed, or could not be opened", async () => {
    await using server = await new RedisServer().start();
    await using gone = await new RedisServer().start();
    await gone.shutdown();
    const program = `const { RedisBucket } = await import("@sluice/redis");
      await RedisBucket.open("${gone.url}", "5/min").catch((error) => console.log(error.code));
      const bucket = await RedisBucket.open("${server.url}", "5/min");
      console.log(await bucket.tryPut("ada"));
      await bucket.close();`;
    const cwd = fileURLToPath(new URL("..", import.meta.url));
    const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", program], {
      cwd,
      timeout: 10_000,
    });
    expect(stdout.trim()).toBe("STORE\ntrue");
  });
});

describe("parseRedisUrl()", () => {
  test.each([
    ["redis://", ["localhost:6379"], false, false],
    ["redis://host", ["host:6379"], false, false],
    ["redis://user:pass@host:7000/2", ["host:7000"], false, false],
    ["rediss://[::1]:7000/", ["::1:7000"], true, false],
    ["redis+cluster://a,b:7001,[fe80::1]:7002", ["a:6379", "b:7001", "fe80::1:7002"], false, true],
    ["rediss+cluster://:pass@a:1/0", ["a:1"], true, true],
  ])("reads %s", (url, places, tls, cluster) => {
    const parsed = parseRedisUrl(url);
    expect(parsed.addresses.map(({ host, port }) => `${host}:${port}`)).toEqual(places);
    expect([parsed.tls, parsed.cluster]).toEqual([tls, cluster]);
  });

  test("reads users, passwords and databases, and shows no password", () => {
    const url = `redis://a%40b:${encodeURIComponent("p:@/ä")}@h/7`;
    expect(parseRedisUrl(url)).toMatchObject({ username: "a@b", password: "p:@/ä", db: 7, shown: "redis://h/7" });
    expect(parseRedisUrl("redis://:pass@h")).toMatchObject({ username: undefined, password: "pass", db: 0 });
  });

  test.each([
    "http://host",
    "redis:host",
    "redis://a,b",
    "redis://host:70000",
    "redis://host/two",
    "redis://host?family=6",
    "redis+cluster://a,b/1",
    "redis+cluster://a b",
    "redis://:%zz@host",
    "",
  ])("refuses %j", (url) => {
    expect(() => parseRedisUrl(url)).toThrow(RangeError);
  });

  test("tells no password when it refuses", () => {
    expect(() => parseRedisUrl("redis://:secret@host/two")).toThrow(
      /^Cannot open "redis:\/\/host\/two": a URL is such as/,
    );
    expect(() => parseRedisUrl("redis://:sec@ret@host")).toThrow(/^Cannot open "redis:\/\/host": /);
  });
});
