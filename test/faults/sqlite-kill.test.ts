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

/** Units that a process has written down. */
function admittedBy({ record }: Job): number {
  return statSync(record as string).size;
}

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
      const workers = [await Worker.start(survivor)];
      try {
        workers[0]?.begin();
        for (const [i, victim] of victims.entries()) {
          const killed = await Worker.start(victim);
          workers.push(killed);
          killed.begin();
          // At some point of its work, another one each time.
          while (admittedBy(victim) === 0) await sleep(1);
          await sleep(1.7 * i);
          await killed.kill();
        }
      } finally {
        for (const worker of workers) await worker.kill();
      }
      const recorded = [survivor, ...victims].map(admittedBy);
      const total = recorded.reduce((sum, count) => sum + count, 0);
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
