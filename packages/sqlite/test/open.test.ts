import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ManualClock, SystemClock, slidingWindowLog, tokenBucket } from "@sluice/core";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { SQLiteBucket } from "../src/sqlite-bucket.js";
import { temporaryFile } from "./temporary-file.js";

/** Table names out of which SQL is made by those who do not quote. */
const HOSTILE_TABLES = [
  'cells"; DROP TABLE keep; --',
  "cells'; DROP TABLE keep; --",
  "a b",
  "select",
  "]",
  "`",
  "a.b",
  "?",
  "%s",
  "ü 😀",
  "\n",
  "x".repeat(200),
];

describe("SQLiteBucket.open()", () => {
  test("makes the file, keeps it, and finds it again", () => {
    const path = temporaryFile();
    const first = SQLiteBucket.open(path, "5/h");
    first.put({ key: "ada", weight: 3 });
    first.close();
    using second = SQLiteBucket.open(path, "5/h");
    expect(second.count("ada")).toBe(3);
  });

  test("writes a log ahead, and waits for the disk as it is told", () => {
    const path = temporaryFile();
    for (const synchronous of [undefined, "off", "normal", "full"] as const) {
      SQLiteBucket.open(path, "5/h", synchronous === undefined ? {} : { synchronous }).close();
    }
    using database = handle(path);
    expect(database.pragma("journal_mode", { simple: true })).toBe("wal");
    const wrong = { synchronous: "sometimes" } as unknown as { synchronous: "off" };
    expect(() => SQLiteBucket.open(path, "5/h", wrong)).toThrow('Cannot write with synchronous "sometimes"');
  });

  test("closes the file with the bucket: the last one out leaves no log behind", () => {
    const path = temporaryFile();
    const bucket = SQLiteBucket.open(path, "5/h");
    bucket.put({ key: "ada" });
    expect(existsSync(`${path}-wal`)).toBe(true);
    bucket.close();
    bucket.close();
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  test("goes by the system's clock, which is the same for all processes", () => {
    using bucket = SQLiteBucket.open(":memory:", "5/h");
    expect(bucket.clock).toBeInstanceOf(SystemClock);
  });

  test.each([
    ["", RangeError],
    [undefined, TypeError],
    [7, TypeError],
  ])("refuses the path %j", (path, error) => {
    expect(() => SQLiteBucket.open(path as string, "5/h")).toThrow(error);
  });

  test.each([-1, Number.NaN])("refuses the timeout %d", (timeout) => {
    expect(() => SQLiteBucket.open(":memory:", "5/h", { timeout })).toThrow(RangeError);
  });

  test("refuses a timeout that is no number", () => {
    expect(() => SQLiteBucket.open(":memory:", "5/h", { timeout: "1s" as unknown as number })).toThrow(TypeError);
  });

  test("says what SQLite says of a file that is no database, and of a folder that is missing", () => {
    const path = temporaryFile();
    writeFileSync(path, "no database at all, but long enough to look into ".repeat(100));
    const missing = join(path, "missing", "limits.db");
    for (const each of [path, missing]) {
      expect(() => SQLiteBucket.open(each, "5/h")).toThrow(
        expect.objectContaining({ name: "StoreError", code: "STORE", cause: expect.any(Error) }),
      );
    }
  });

  test("without better-sqlite3 it says which two packages to install", () => {
    const folder = mkdtempSync(join(tmpdir(), "sluice-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const dist = fileURLToPath(new URL("../dist", import.meta.url));
    const scope = join(folder, "node_modules", "@sluice");
    mkdirSync(join(scope, "sqlite"), { recursive: true });
    cpSync(dist, join(scope, "sqlite"), { recursive: true });
    writeFileSync(join(scope, "sqlite", "package.json"), '{ "type": "module", "exports": "./index.js" }');
    symlinkSync(fileURLToPath(new URL("../../core", import.meta.url)), join(scope, "core"));
    const script = join(folder, "open.mjs");
    const code = `import { SQLiteBucket } from "@sluice/sqlite";
      try { SQLiteBucket.open(":memory:", "5/h"); } catch ({ name, message, cause }) { console.log(name, message, cause.code); }`;
    writeFileSync(script, code);
    expect(execFileSync(process.execPath, [script], { encoding: "utf8" })).toBe(
      "StoreError Cannot open a SQLite database without the package better-sqlite3. " +
        "Install both packages: npm install @sluice/sqlite better-sqlite3 MODULE_NOT_FOUND\n",
    );
  });
});

describe("SQLiteBucket, its tables", () => {
  test.each(HOSTILE_TABLES)("quotes the table name %j", (table) => {
    const path = temporaryFile();
    using database = handle(path);
    database.exec("CREATE TABLE keep (id)");
    using bucket = SQLiteBucket.open(path, "5/h", { table, algorithm: tokenBucket });
    expect(bucket.put({ key: "ada", weight: 3 }).remaining).toBe(2);
    expect(bucket.putMany([{ key: "ada" }, { key: "bob" }]).map(({ allowed }) => allowed)).toEqual([true, true]);
    bucket.flush("bob");
    expect(bucket.leak()).toBe(0);
    const names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid").pluck().all();
    expect(names).toEqual(["keep", table, `${table}_buckets`]);
  });

  test.each(["", "a\0b", "\ud800", "sqlite_cells", "SQLite_x", "x".repeat(201)])(
    "refuses the table name %j",
    (table) => {
      expect(() => SQLiteBucket.open(":memory:", "5/h", { table })).toThrow(RangeError);
    },
  );

  test("refuses a table name that is no string", () => {
    expect(() => SQLiteBucket.open(":memory:", "5/h", { table: 7 as unknown as string })).toThrow(TypeError);
  });

  test.each([
    "CREATE TABLE sluice_cells (bucket, key, page, state, expires)",
    "CREATE TABLE SLUICE_CELLS (/* Sluice, layout 0 */ bucket, key, page, state, expires)",
    "CREATE VIEW sluice_cells AS SELECT 1",
    "CREATE TABLE sluice_cells_buckets (id, name, wall)",
  ])("refuses a table of another layout: %s", (sql) => {
    const path = temporaryFile();
    using database = handle(path);
    database.exec(sql);
    expect(() => SQLiteBucket.open(path, "5/h")).toThrow("Name another table by the option table, or drop it.");
    using other = SQLiteBucket.open(path, "5/h", { table: "mine" });
    expect(other.tryPut("ada")).toBe(true);
  });

  test("knows a table by its name in any case, as SQLite does", () => {
    const path = temporaryFile();
    using bucket = SQLiteBucket.open(path, "5/h", { table: "Cells" });
    bucket.put({ key: "ada" });
    using same = SQLiteBucket.open(path, "5/h", { table: "cELLS" });
    expect(same.count("ada")).toBe(1);
  });

  test("finds its own tables again after VACUUM, and leaves user_version alone", () => {
    const path = temporaryFile();
    using database = handle(path);
    database.pragma("user_version = 7");
    const first = SQLiteBucket.open(path, "5/h");
    first.put({ key: "ada", weight: 3 });
    first.close();
    database.exec("VACUUM");
    using second = SQLiteBucket.open(path, "5/h");
    expect(second.count("ada")).toBe(3);
    expect(database.pragma("user_version", { simple: true })).toBe(7);
  });
});

describe("SQLiteBucket, its name", () => {
  test("buckets of one file share cells when name, algorithm and rates are the same, and not else", () => {
    const path = temporaryFile();
    const clock = new ManualClock(1000);
    using bucket = SQLiteBucket.open(path, "5/h", { clock });
    bucket.put({ key: "ada", weight: 3 });
    using same = SQLiteBucket.open(path, "5/h", { clock, name: "default", algorithm: slidingWindowLog });
    expect(same.count("ada")).toBe(3);
    const others = [
      SQLiteBucket.open(path, "5/h", { clock, name: "other" }),
      SQLiteBucket.open(path, "6/h", { clock }),
      SQLiteBucket.open(path, "5/h", { clock, algorithm: tokenBucket }),
      SQLiteBucket.open(path, "5/h", { clock, table: "other" }),
    ];
    for (const other of others) {
      expect(other.count("ada")).toBe(0);
      other.put({ key: "ada" });
      other.flush();
      other.close();
    }
    expect(bucket.count("ada")).toBe(3);
  });

  test("refuses a name that is none", () => {
    expect(() => SQLiteBucket.open(":memory:", "5/h", { name: "" })).toThrow(RangeError);
  });
});

/** A handle of our own on a file, closed at the end of its block. */
function handle(path: string): Database.Database & Disposable {
  const database = new Database(path);
  return Object.assign(database, { [Symbol.dispose]: () => void database.close() });
}
