import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Algorithm, fixedWindow, slidingWindowLog, tokenBucket } from "@sluice/core";
import { SQLiteBucket } from "@sluice/sqlite";
import { afterAll, describe, expect, test } from "vitest";
import { type Job, race } from "./processes.js";

const folder = mkdtempSync(join(tmpdir(), "sluice-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A job on a file of its own. Nothing flows back while the test runs. */
function job(name: string, more: Partial<Job> = {}): Job {
  const at = join(folder, `${name}.db`);
  return { store: "sqlite", at, rates: "100/30d", algorithm: "token-bucket", key: "cold", ...more };
}

function times(count: number, value: Job): Job[] {
  return Array.from({ length: count }, () => value);
}

describe("SQLiteBucket, several processes on one file", () => {
  test.each([
    ["token-bucket", "100/30d"],
    // A log that lies in several rows, and one that lies in one.
    ["sliding-window-log", "100/30d"],
    ["sliding-window-log", "40/30d"],
  ])("8 of them with 200 tries each admit exactly the capacity: %s, %s", async (algorithm, rates) => {
    const results = await race(
      times(8, job(`${algorithm} ${rates.replace("/", "-")}`, { algorithm, rates, tries: 200 })),
    );
    expect(results.flatMap(({ errors }) => errors)).toEqual([]);
    expect(results.reduce((sum, { admitted }) => sum + admitted, 0)).toBe(Number.parseInt(rates, 10));
  });

  test.each([
    ["token-bucket", "150/30d"],
    ["sliding-window-log", "150/30d"],
    ["fixed-window", "150/30d"],
  ])("8 of them that replace the rates while all put carry each unit over once: %s", async (algorithm, rates) => {
    const replaces = job(`replaced ${algorithm}`, { algorithm, tries: 100, replaceAt: 5, replaceBy: rates });
    const results = await race(times(8, replaces));
    expect(results.flatMap(({ errors }) => errors)).toEqual([]);
    const total = results.reduce((sum, { admitted }) => sum + admitted, 0);
    const algorithms = { "token-bucket": tokenBucket, "fixed-window": fixedWindow } as Record<string, Algorithm>;
    using bucket = SQLiteBucket.open(replaces.at, rates, { algorithm: algorithms[algorithm] ?? slidingWindowLog });
    expect(bucket.count("cold")).toBe(total);
    // Who still goes by the old rates does not see what was carried over from under it.
    expect([total >= 150, total <= 150 + 8 * 5]).toEqual([true, true]);
  });

  test("8 of them may make the same file at the same moment", async () => {
    for (let round = 0; round < 3; round++) {
      const results = await race(times(8, job(`made by 8, ${round}`, { opensAtStart: true, tries: 20 })));
      expect(results.flatMap(({ errors }) => errors)).toEqual([]);
      expect(results.reduce((sum, { admitted }) => sum + admitted, 0)).toBe(100);
    }
  });

  test("4 of them that never pause all come to their turn, again and again", async () => {
    const busy = job("shared", { rates: "1000000000/s", duration: 3000 });
    // Keeps the log of the database in place, which the last one out removes.
    using bucket = SQLiteBucket.open(busy.at, "1/s", { name: "other" });
    const results = await race(times(4, busy));
    expect(results.flatMap(({ errors }) => errors)).toEqual([]);
    const counts = results.map(({ admitted }) => admitted);
    const fair = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    expect(Math.min(...counts) / fair).toBeGreaterThan(0.5);
    // Of 30 slices. Where SQLite does the waiting, some have a turn in 18 to 25 of them.
    expect(Math.min(...results.map(({ busySlices }) => busySlices))).toBeGreaterThan(24);
    expect(statSync(`${busy.at}-wal`).size).toBeLessThan(16 * 2 ** 20);
    expect(bucket.count("cold")).toBe(0);
  });
});
