import { statSync } from "node:fs";
import { AbstractClock, ManualClock, type RateItem, slidingWindowLog, tokenBucket } from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import Database from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { PAGE } from "../src/paged-log.js";
import { SQLiteBucket } from "../src/sqlite-bucket.js";
import { SQLiteClock } from "../src/sqlite-clock.js";
import { temporaryFile } from "./temporary-file.js";

function open(path: string): Database.Database {
  const database = new Database(path);
  onTestFinished(() => void database.close());
  return database;
}

function rowsIn(database: Database.Database): unknown {
  return database.prepare("SELECT count(*) FROM sluice_cells").pluck().get();
}

describe("SQLiteBucket, logs that lie in one row or in several", () => {
  // One that is put in one statement, one that grows out of its row by charges only, and long ones.
  test.each([PAGE - 8, PAGE - 1, PAGE, 3 * PAGE])(
    "decides as the bucket in memory does, with a limit of %d",
    (limit) => {
      const names = ["put", "put", "put", "tryPut", "charge", "refund", "peek", "count", "putMany"] as const;
      const step = fc.record({
        name: fc.constantFrom(...names),
        key: fc.constantFrom("ada", "bob"),
        times: fc.integer({ min: 1, max: 40 }),
        weight: fc.constantFrom(1, 1, 1, 2, 7),
        pause: fc.constantFrom(0, 0, 1, 30, 500, -20),
      });
      fc.assert(
        fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), (history) => {
          const clock = new ManualClock(100_000);
          const options = { clock, algorithm: slidingWindowLog };
          const rates = [`${Math.ceil(limit / 3)}/100ms`, `${limit}/s`];
          using bucket = SQLiteBucket.open(":memory:", rates, options);
          using plain = new InMemoryBucket(rates, options);
          const run = (one: SQLiteBucket | InMemoryBucket, name: (typeof names)[number], item: Required<RateItem>) => {
            const { key, weight } = item;
            if (name === "tryPut") return one.tryPut(key, weight);
            if (name === "count") return [one.count(key), one.items(key)];
            if (name === "putMany") return one.putMany([{ key, weight }, { key: "eve" }, { key }, { key, weight }]);
            return one[name]({ key, weight });
          };
          for (const { name, key, times, weight, pause } of history) {
            clock.set(clock.now() + pause);
            for (let i = 0; i < times; i++) {
              const item = { key, weight, timestamp: 0 };
              expect(run(bucket, name, item)).toEqual(run(plain, name, item));
              clock.advance(0.25);
            }
          }
        }),
        { numRuns: 25 },
      );
    },
  );
});

describe("SQLiteBucket, what it leaves in the file", () => {
  test("a refusal and a look write nothing", () => {
    const path = temporaryFile();
    using bucket = SQLiteBucket.open(path, "5/h", { algorithm: tokenBucket });
    bucket.put({ key: "ada", weight: 5 });
    const changes = open(path);
    const version = () => changes.pragma("data_version", { simple: true });
    const before = version();
    for (let i = 0; i < 10; i++) {
      bucket.put({ key: "ada" });
      bucket.tryPut("ada");
      bucket.putMany([{ key: "ada" }, { key: "bob", weight: 6 }]);
      bucket.peek({ key: "eve" });
      bucket.refund({ key: "new" });
      bucket.count("ada");
      bucket.put({ key: "new", weight: 0 });
    }
    expect(version()).toBe(before);
    bucket.put({ key: "bob" });
    expect(version()).not.toBe(before);
  });

  test("leak drops the pages of a log with it, and no other", () => {
    const path = temporaryFile();
    const clock = new ManualClock();
    using bucket = SQLiteBucket.open(path, "1000/s", { clock });
    bucket.putMany(Array(500).fill({ key: "ada" }));
    clock.advance(500);
    bucket.putMany(Array(500).fill({ key: "bob" }));
    const database = open(path);
    expect(rowsIn(database)).toBe(2 + 2 * Math.floor(500 / PAGE));
    clock.advance(500);
    expect(bucket.leak()).toBe(1);
    expect(rowsIn(database)).toBe(1 + Math.floor(500 / PAGE));
    expect(bucket.count("bob")).toBe(500);
    bucket.flush("bob");
    expect(rowsIn(database)).toBe(0);
  });

  test.each([tokenBucket, slidingWindowLog])("every put puts off when its cell may be dropped: %o", (algorithm) => {
    const clock = new ManualClock();
    using bucket = SQLiteBucket.open(":memory:", "5/s", { clock, algorithm });
    for (let i = 0; i < 4; i++) {
      bucket.tryPut("ada");
      clock.advance(150);
    }
    // The first alone would be gone by now.
    clock.set(algorithm === tokenBucket ? 799 : 1449);
    expect([bucket.leak(), bucket.count("ada")]).toEqual([0, 1]);
    clock.advance(1);
    expect([bucket.leak(), bucket.leak()]).toEqual([1, 0]);
  });

  test("leak and flush get to the end of many keys", () => {
    const path = temporaryFile();
    const clock = new ManualClock();
    using bucket = SQLiteBucket.open(path, "5/s", { clock, algorithm: tokenBucket });
    using other = SQLiteBucket.open(path, "5/s", { clock, algorithm: tokenBucket, name: "other" });
    const items = Array.from({ length: 2000 }, (_, i) => ({ key: i === 0 ? "" : `${i}`, weight: 1 + (i % 5) }));
    bucket.putMany(items);
    other.putMany(items);
    clock.advance(599);
    expect(bucket.leak()).toBe(800);
    clock.advance(1);
    expect(bucket.leak()).toBe(400);
    bucket.flush();
    expect([bucket.count("4"), other.count("4")]).toEqual([0, 2]);
    expect(rowsIn(open(path))).toBe(2000);
  });

  test("sweeps in slices, and gets round", () => {
    const clock = new ManualClock();
    using bucket = SQLiteBucket.open(":memory:", "5/s", { clock, algorithm: tokenBucket });
    bucket.putMany(Array.from({ length: 2000 }, (_, i) => ({ key: `${i}` })));
    clock.advance(1000);
    let slices = 1;
    while (bucket.sweep(0)) slices++;
    expect(slices).toBeGreaterThan(4);
    expect(bucket.leak()).toBe(0);
  });

  test("leak by the time of day drops what buckets of other rates have left behind", () => {
    const path = temporaryFile();
    const old = SQLiteBucket.open(path, "5/ms", { algorithm: tokenBucket });
    const manual = SQLiteBucket.open(path, "5/ms", {
      algorithm: tokenBucket,
      name: "manual",
      clock: new ManualClock(),
    });
    for (const bucket of [old, manual])
      bucket.putMany([
        { key: "ada", timestamp: 1 },
        { key: "bob", timestamp: 1 },
      ]);
    old.close();
    using bucket = SQLiteBucket.open(path, "6/ms");
    expect(bucket.leak()).toBe(2);
    // By its own clock these still count.
    expect(rowsIn(open(path))).toBe(2);
    manual.close();
  });

  test("the log of the database is brought into the file again and again", () => {
    const path = temporaryFile();
    using bucket = SQLiteBucket.open(path, "1000000/s", { algorithm: tokenBucket });
    for (let i = 0; i < 20_000; i++) bucket.tryPut("ada");
    expect(statSync(`${path}-wal`).size).toBeLessThan(8 * 2 ** 20);
  });

  test("a full disk fails the put, and all of it", () => {
    const database = open(temporaryFile());
    const bucket = new SQLiteBucket(database, "5/h");
    database.pragma(`max_page_count = ${Number(database.pragma("page_count", { simple: true })) + 20}`);
    const items = Array.from({ length: 10_000 }, (_, i) => ({ key: `${i}` }));
    expect(() => bucket.putMany(items)).toThrow(
      expect.objectContaining({ code: "STORE", cause: expect.objectContaining({ code: "SQLITE_FULL" }) }),
    );
    expect(database.inTransaction).toBe(false);
    expect(rowsIn(database)).toBe(0);
    expect(bucket.tryPut("ada")).toBe(true);
  });
});

describe("SQLiteClock", () => {
  test("shows the system's time in whole milliseconds", () => {
    const clock = new SQLiteClock(open(":memory:"));
    const before = Date.now();
    const now = clock.now();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
    expect(Number.isInteger(now)).toBe(true);
    expect(clock).toBeInstanceOf(AbstractClock);
  });

  test("says that its database is closed", () => {
    const database = open(":memory:");
    const clock = new SQLiteClock(database);
    database.close();
    expect(() => clock.now()).toThrow(expect.objectContaining({ name: "StoreError", code: "STORE" }));
  });
});
