/**
 * One case of the bench on a SQLite file, in a process of its own: `sqlite.js CASE KEYS ROUNDS CALLS`,
 * with the case `put` or `zipf` (all are admitted), `refused` (none is), `many` or `log`.
 *
 * The contestants take turns in short rounds. Prints the timings as JSON.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Rate } from "@sluice/core";
import Database from "better-sqlite3";
import { answer } from "./answer.js";
import { expectSame } from "./check.js";
import { DAY, makeKeys, makeOrder, makeZipfOrder, PLENTY } from "./keys.js";
import * as contestants from "./sqlite-contestants.js";
import { summarise } from "./statistics.js";
import { nsEach, takeTurns } from "./turns.js";

const WARM_UP = 2;

const [name = "put", count = "1", rounds = "15", calls = "5000"] = process.argv.slice(2);
const keys = makeKeys(Number(count));
const order = name === "zipf" ? makeZipfOrder(keys.length, 7) : makeOrder(keys.length, 7);
const rate = new Rate(name === "refused" ? 1 : PLENTY, DAY);
const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));

const all = Object.entries(await line());
// All know all keys, and where there is one unit for each, it is gone. So many that most never come are new when they do.
if (name !== "zipf")
  for (const [contestant, puts] of all) expectSame(`${contestant} admitted`, await puts(keys), keys.length);
const slices = all.map(([contestant, puts]) => [contestant, (turn: number) => time(contestant, puts, turn)] as const);
const measured = await takeTurns(Object.fromEntries(slices), Number(rounds), WARM_UP);
rmSync(folder, { recursive: true });
answer(`${rounds} rounds of ${calls} puts; ${traffic()}. ${software()}`, summarise(measured));

async function line(): Promise<Record<string, contestants.Round>> {
  if (name === "many") {
    return {
      "sluice, single puts": contestants.puts(folder, 1),
      "sluice, putMany of 100": contestants.puts(folder, 100, "many"),
    };
  }
  if (name === "log") {
    const limits = [10, 40, 100, 1000, 100_000].map((limit) => [
      `sluice, log of ${limit.toLocaleString("en")}`,
      contestants.fullLog(folder, limit),
    ]);
    return { "sluice, token bucket": contestants.sluice(folder), ...Object.fromEntries(limits) };
  }
  return {
    "by hand": contestants.byHand(folder, rate),
    sluice: contestants.sluice(folder, rate),
    "rate-limiter-flexible": await contestants.flexible(folder, rate),
  };
}

/** Nanoseconds a put. */
async function time(contestant: string, puts: contestants.Round, turn: number): Promise<number> {
  const from = (turn + WARM_UP) * Number(calls);
  const walk = Array.from(
    { length: Number(calls) },
    (_, i) => keys[order[(from + i) % order.length] as number] as string,
  );
  const start = process.hrtime.bigint();
  const admitted = await puts(walk);
  const ns = nsEach(start, walk.length);
  expectSame(`${contestant} admitted`, admitted, name === "refused" ? 0 : walk.length);
  return ns;
}

function traffic(): string {
  if (name === "log") return "with each that comes, the oldest leaves";
  return `${rate.limit}/day a key, ${name === "refused" ? "all refused" : "all admitted"}`;
}

function software(): string {
  const version = new Database(":memory:").prepare("SELECT sqlite_version()").pluck().get();
  return `SQLite ${version}, write-ahead log, synchronous NORMAL.`;
}
