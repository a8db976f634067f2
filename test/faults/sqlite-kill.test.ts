import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { slidingWindowLog, tokenBucket } from "@sluice/core";
import { SQLiteBucket } from "@sluice/sqlite";
import Database from "better-sqlite3";
import { afterAll, describe, expect, test } from "vitest";
import { type Job, Worker } from "../concurrency/processes.js";

const LIMIT = 1_000_000;
const KILLS = 5;

const folder = mkdtempSync(join(tmpdir(), "sluice-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("SQLiteBucket, kill -9 of a process in mid-write", () => {
  test.each([tokenBucket, slidingWindowLog])(
    "loses no unit, mints none, and leaves the file whole: %o",
    async (algorithm) => {
      const at = join(folder, `${algorithm.name}.db`);
      const rates = `${LIMIT}/30d`;
      const job = (record: string): Job => ({
        store: "sqlite",
        at,
        rates,
        algorithm: algorithm.name,
        key: "ada",
        record: join(folder, `${algorithm.name} ${record}`),
      });
      const survivor = job("survivor");
      const victims = Array.from({ length: KILLS }, (_, i) => job(`victim ${i}`));
      const surviving = await Worker.start({ ...survivor, duration: 60_000 });
      try {
        surviving.begin();
        for (const [i, victim] of victims.entries()) {
          const killed = await Worker.start(victim);
          killed.begin();
          // At some point of its work, another one each time.
          await sleep(40 + 13 * i);
          await killed.kill();
        }
      } finally {
        await surviving.kill();
      }
      const recorded = [survivor, ...victims].map(({ record }) => statSync(record as string).size);
      const total = recorded.reduce((sum, count) => sum + count, 0);
      expect(Math.min(...recorded)).toBeGreaterThan(0);

      using bucket = SQLiteBucket.open(at, rates, { algorithm });
      const counted = bucket.count("ada");
      // Each that was killed may have been admitted once, and not come to write it down.
      expect(counted).toBeGreaterThanOrEqual(total);
      expect(counted).toBeLessThanOrEqual(total + KILLS + 1);
      expect(bucket.put({ key: "ada", weight: LIMIT - counted }).allowed).toBe(true);
      expect(bucket.tryPut("ada")).toBe(false);
      const database = new Database(at);
      expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
      database.close();
    },
  );
});
