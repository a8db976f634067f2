import { ManualClock, slidingWindowLog, tokenBucket } from "@sluice/core";
import Database from "better-sqlite3";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { SQLiteBucket } from "../src/sqlite-bucket.js";
import { SQLiteClock } from "../src/sqlite-clock.js";
import { temporaryFile } from "./temporary-file.js";

let path: string;
let database: Database.Database;

beforeEach(() => {
  path = temporaryFile();
  database = open();
});

/** A clock that breaks after so many calls. */
class BreakingClock extends ManualClock {
  calls = Number.POSITIVE_INFINITY;

  override now(): number {
    if (this.calls-- > 0) return super.now();
    throw new Error("The clock stands still.");
  }
}

function open(options: Database.Options = {}): Database.Database {
  const handle = new Database(path, options);
  onTestFinished(() => void handle.close());
  return handle;
}

describe("SQLiteBucket over a handle of the caller's", () => {
  test("leaves it open, and its pragmas as they are", () => {
    const pragmas = ["journal_mode", "synchronous", "busy_timeout", "wal_autocheckpoint", "page_size", "foreign_keys"];
    const before = pragmas.map((pragma) => database.pragma(pragma, { simple: true }));
    const bucket = new SQLiteBucket(database, "5/h");
    bucket.put({ key: "ada" });
    bucket.close();
    expect(database.open).toBe(true);
    expect(pragmas.map((pragma) => database.pragma(pragma, { simple: true }))).toEqual(before);
    expect(database.prepare("SELECT count(*) FROM sluice_cells").pluck().get()).toBe(1);
  });

  test("several buckets of all kinds live on one handle, beside its own tables", () => {
    database.exec("CREATE TABLE users (name)");
    const clock = new ManualClock();
    const buckets = [tokenBucket, slidingWindowLog].flatMap((algorithm) =>
      ["a", "b"].map((name) => new SQLiteBucket(database, "5/h", { algorithm, clock, name })),
    );
    for (const [i, bucket] of buckets.entries()) {
      expect(bucket.put({ key: "ada", weight: i + 1 }).remaining).toBe(4 - i);
      expect(bucket.tryPut("bob")).toBe(true);
    }
    expect(buckets.map((bucket) => bucket.count("ada"))).toEqual([1, 2, 3, 4]);
  });

  test("works where whole numbers come as BigInt", () => {
    database.defaultSafeIntegers(true);
    const clock = new ManualClock(1000);
    const bucket = new SQLiteBucket(database, "100/s", { clock: new SQLiteClock(database) });
    expect(bucket.put({ key: "ada", weight: 60 }).allowed).toBe(true);
    expect(bucket.put({ key: "ada", weight: 60 }).allowed).toBe(false);
    const other = new SQLiteBucket(database, "5/s", { clock });
    other.put({ key: "ada" });
    clock.advance(1000);
    expect(other.leak()).toBe(1);
  });

  test.each([undefined, null, {}, "limits.db"])("refuses %j for a handle", (wrong) => {
    expect(() => new SQLiteBucket(wrong as unknown as Database.Database, "5/h")).toThrow(TypeError);
  });

  test("says that the database is closed", () => {
    const bucket = new SQLiteBucket(database, "5/h");
    database.close();
    for (const use of [
      () => bucket.tryPut("ada"),
      () => bucket.count("ada"),
      () => bucket.leak(),
      () => bucket.flush(),
    ]) {
      expect(use).toThrow(expect.objectContaining({ name: "StoreError", code: "STORE", cause: expect.any(TypeError) }));
    }
    expect(() => new SQLiteBucket(database, "5/h")).toThrow("the database is closed");
  });

  test("passes the error of a clock on as it is, and takes nothing", () => {
    const clock = new BreakingClock();
    const bucket = new SQLiteBucket(database, "5/h", { clock });
    clock.calls = 0;
    for (const use of [() => bucket.put({ key: "ada" }), () => bucket.charge({ key: "ada" }), () => bucket.leak()]) {
      expect(use).toThrow("The clock stands still.");
    }
    expect(database.inTransaction).toBe(false);
    clock.calls = 1;
    expect(bucket.count("ada")).toBe(0);
  });
});

describe("SQLiteBucket in a transaction of the caller's", () => {
  test("puts are a part of it, and are taken back with it", () => {
    const bucket = new SQLiteBucket(database, "5/h", { algorithm: tokenBucket, clock: new ManualClock() });
    const puts = () => {
      bucket.put({ key: "ada" });
      bucket.charge({ key: "ada" });
      bucket.putMany([{ key: "ada" }, { key: "bob" }]);
      expect([bucket.count("ada"), bucket.peek({ key: "ada" }).remaining]).toEqual([3, 1]);
    };
    const failing = database.transaction(() => {
      puts();
      throw new Error("taken back");
    });
    expect(failing).toThrow("taken back");
    expect([bucket.count("ada"), bucket.count("bob")]).toEqual([0, 0]);
    database.transaction(puts)();
    expect([bucket.count("ada"), bucket.count("bob")]).toEqual([3, 1]);
  });

  test("what fails takes back what it did, and leaves the rest of the transaction", () => {
    const clock = new BreakingClock();
    const bucket = new SQLiteBucket(database, "1000/h", { clock });
    database.exec("CREATE TABLE notes (text)");
    database.transaction(() => {
      database.exec("INSERT INTO notes VALUES ('kept')");
      // Far enough in that a page of the log has been written.
      clock.calls = 100;
      expect(() => bucket.putMany(Array(200).fill({ key: "ada" }))).toThrow("The clock stands still.");
    })();
    expect(database.prepare("SELECT text FROM notes").pluck().all()).toEqual(["kept"]);
    expect(database.prepare("SELECT count(*) FROM sluice_cells").pluck().get()).toBe(0);
  });

  test("says how to begin a transaction that reads first, when another has written since", () => {
    database.pragma("journal_mode = WAL");
    const bucket = new SQLiteBucket(database, "5/h");
    const other = new SQLiteBucket(open(), "5/h");
    database.transaction(() => {
      bucket.count("ada");
      other.put({ key: "ada" });
      expect(() => bucket.put({ key: "ada" })).toThrow(
        expect.objectContaining({ code: "STORE", message: expect.stringContaining("Begin it with BEGIN IMMEDIATE.") }),
      );
    })();
  });

  test("a bucket is not opened in it", () => {
    database.transaction(() => {
      expect(() => new SQLiteBucket(database, "5/h")).toThrow("Cannot open a bucket inside a transaction.");
    })();
  });
});

describe("SQLiteBucket, while another has the file locked", () => {
  test.each(["wal", "delete"])(
    "puts fail after the timeout, reads do not wait, and all is well afterwards: %s",
    (mode) => {
      database.pragma(`journal_mode = ${mode}`);
      const bucket = new SQLiteBucket(open({ timeout: 0 }), "5/h", { timeout: 20, clock: new ManualClock() });
      bucket.put({ key: "ada" });
      const other = new SQLiteBucket(database, "5/h", { clock: new ManualClock() });
      database.exec("BEGIN IMMEDIATE");
      const late = expect.objectContaining({
        name: "StoreError",
        code: "STORE_TIMEOUT",
        cause: expect.objectContaining({ code: "SQLITE_BUSY" }),
        message: expect.stringContaining("the database was locked by others for 20 ms."),
      });
      const writes = [
        () => bucket.tryPut("ada"),
        () => bucket.put({ key: "ada" }),
        () => bucket.charge({ key: "ada" }),
        () => bucket.putMany([{ key: "ada" }]),
        () => bucket.flush(),
      ];
      for (const write of writes) expect(write).toThrow(late);
      expect(bucket.count("ada")).toBe(1);
      expect(bucket.peek({ key: "ada" }).remaining).toBe(3);
      expect(bucket.items("ada")).toHaveLength(1);
      expect(bucket.leak()).toBe(0);
      // A put beyond the capacity is refused without a look, and one of nothing admitted.
      expect([bucket.tryPut("ada", 6), bucket.tryPut("ada", 0)]).toEqual([false, true]);
      expect(other.put({ key: "ada" }).remaining).toBe(3);
      database.exec("COMMIT");
      expect(bucket.put({ key: "ada" }).remaining).toBe(2);
    },
  );

  test("a sweep does not wait, and goes on where it was", () => {
    const clock = new ManualClock();
    const bucket = new SQLiteBucket(open({ timeout: 0 }), "5/s", { clock });
    bucket.putMany(Array.from({ length: 600 }, (_, i) => ({ key: `${i}` })));
    clock.advance(1000);
    expect(bucket.sweep(0)).toBe(true);
    database.exec("BEGIN IMMEDIATE");
    for (let i = 0; i < 10; i++) expect(bucket.sweep(0)).toBe(true);
    database.exec("ROLLBACK");
    const left = () => database.prepare("SELECT count(*) FROM sluice_cells").pluck().get();
    expect(left()).toBe(344);
    expect([bucket.sweep(0), left(), bucket.sweep(0), left(), bucket.sweep(0)]).toEqual([true, 88, true, 0, false]);
  });

  test("a timeout of 0 does not wait, and one that is for ever may be named", () => {
    const bucket = new SQLiteBucket(open({ timeout: 0 }), "5/h", { timeout: 0 });
    expect(new SQLiteBucket(open(), "5/h", { timeout: Number.POSITIVE_INFINITY }).tryPut("ada")).toBe(true);
    database.exec("BEGIN IMMEDIATE");
    expect(() => bucket.tryPut("ada")).toThrow(expect.objectContaining({ code: "STORE_TIMEOUT" }));
    database.exec("ROLLBACK");
    expect(bucket.tryPut("ada")).toBe(true);
  });
});
