import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ManualClock, openBucket, openLimiter, tokenBucket } from "sluice";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

describe("openBucket()", () => {
  test.each(["memory:", "sqlite::memory:"])("opens %s with the options that every store takes", async (url) => {
    const clock = new ManualClock(1000);
    await using bucket = await openBucket(url, ["2/s", "3/min"], { algorithm: tokenBucket, clock, name: "search" });
    expect(bucket.mode).toBe("async");
    expect(await bucket.put({ key: "ada", weight: 2 })).toMatchObject({
      allowed: true,
      remaining: 0,
      resetAfter: 40_000,
    });
    expect(await bucket.tryPut("ada")).toBe(false);
    clock.advance(500);
    expect(await bucket.tryPut("ada")).toBe(true);
    expect(await bucket.now()).toBe(1500);
  });

  test.each([
    ["mongodb://ada:secret@localhost", 'Cannot open "mongodb:…"'],
    ["localhost:6379", 'Cannot open "localhost:…"'],
    ["./limits.db", 'Cannot open "…"'],
    ["__proto__:", 'Cannot open "…"'],
    ["constructor:x", 'Cannot open "constructor:…"'],
    ["", 'Cannot open "…"'],
  ])("refuses %j, says which URLs there are, and tells no password", async (url, message) => {
    const error: unknown = await openBucket(url, "1/s").catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RangeError);
    const known = "memory:, sqlite:, postgres:, postgresql:, redis:, rediss:, redis+cluster:, rediss+cluster:";
    expect(String(error)).toBe(`RangeError: ${message}: the URL of a store begins with ${known}.`);
  });

  test("refuses what is no URL, and rates that cannot be", async () => {
    await expect(openBucket(undefined as unknown as string, "1/s")).rejects.toThrow(
      "Cannot open undefined: a store is",
    );
    await expect(openBucket("memory:", "1/fortnight")).rejects.toThrow(/fortnight/);
  });
});

describe("openLimiter()", () => {
  test("limits by the store, under its own name, and closes it", async () => {
    const limiter = await openLimiter("memory:", "1/h", { name: "sign-in" });
    expect(await limiter.tryAcquire("ada")).toBe(true);
    await expect(limiter.acquire("ada", { timeout: 0 })).rejects.toMatchObject({ limiter: "sign-in" });
    const [bucket] = limiter.buckets();
    await limiter.close();
    await expect(bucket?.count("ada")).rejects.toMatchObject({ code: "CLOSED" });
  });
});

describe("openBucket() where a store's package is not installed", () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "sluice-"));
    for (const [name, place] of [
      ["core", "@sluice/core"],
      ["memory", "@sluice/memory"],
      ["sluice", "sluice"],
    ] as const) {
      const from = fileURLToPath(new URL(`../../${name}`, import.meta.url));
      for (const part of ["dist", "package.json"])
        cpSync(join(from, part), join(folder, "node_modules", place, part), { recursive: true });
    }
    const script =
      'import { openBucket } from "sluice"; await openBucket(process.argv[2], "1/s").catch((error) => console.log(error.message));';
    writeFileSync(join(folder, "open.mjs"), script);
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  test.each([
    ["redis://localhost", "@sluice/redis ioredis"],
    ["redis+cluster://localhost", "@sluice/redis ioredis"],
    ["postgres://localhost", "@sluice/postgres pg"],
    ["sqlite:limits.db", "@sluice/sqlite better-sqlite3"],
  ])("says which two to install for %s", (url, packages) => {
    const said = execFileSync(process.execPath, ["open.mjs", url], { cwd: folder, encoding: "utf8" });
    const name = packages.split(" ")[0];
    expect(said).toBe(`Cannot open the store: the package ${name} is not installed. Run: npm install ${packages}\n`);
  });
});
