/**
 * How processes share one SQLite file: `sqlite-share.js PROCESSES SECONDS [MANY]`.
 *
 * Each puts for one key as fast as it can, and counts its transactions second by second;
 * with MANY, the first one puts so many items in each. Prints for the raw upsert with
 * better-sqlite3's own waiting, and for Sluice, as JSON: nanoseconds from one transaction of
 * all together to the next and the least share that one of them had, second by second; the
 * longest that one took, in milliseconds; and how many failed, because the file was locked for 5 s.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { answer } from "./answer.js";
import { expectSame } from "./check.js";
import { byHand, puts, type Round } from "./sqlite-contestants.js";
import { type Measured, series } from "./statistics.js";

/** What one process did. */
interface Tally {
  /** Transactions in each second. */
  readonly seconds: readonly number[];
  /** The longest that one took, in milliseconds. */
  readonly longest: number;
  /** Transactions that failed. */
  readonly failed: number;
}

const CONTESTANTS: Record<string, (folder: string, many: number) => Round> = {
  "by hand": (folder) => byHand(folder),
  sluice: puts,
};

const [role = "4", ...words] = process.argv.slice(2);
if (role === "child") await child();
else await main(Number(role), Number(words[0] ?? 10), Number(words[1] ?? 1));

async function main(processes: number, seconds: number, many: number): Promise<void> {
  const shares: Measured[] = [];
  // What is done by hand knows no putMany.
  for (const name of many === 1 ? Object.keys(CONTESTANTS) : ["sluice"]) {
    shares.push(await measure(name, processes, seconds, many));
  }
  const first = many === 1 ? "" : `; the first one puts ${many} items in each`;
  answer(`${seconds} s; 1 key, ${processes} processes${first}.`, shares);
}

async function measure(name: string, processes: number, seconds: number, many: number): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-share-"));
  const children = Array.from({ length: processes }, (_, i) =>
    fork(fileURLToPath(import.meta.url), ["child", name, folder, `${seconds}`, `${i === 0 ? many : 1}`]),
  );
  for (const each of children) await once(each, "message");
  const start = Date.now() + 200;
  const tallies = await Promise.all(
    children.map(async (each) => {
      each.send(start);
      return ((await once(each, "message")) as [Tally])[0];
    }),
  );
  rmSync(folder, { recursive: true });
  return summary(name, seconds, tallies);
}

function summary(name: string, seconds: number, tallies: readonly Tally[]): Measured {
  const totals: number[] = [];
  const shares: number[] = [];
  for (let second = 0; second < seconds; second++) {
    const counts = tallies.map((tally) => tally.seconds[second] as number);
    const all = counts.reduce((a, b) => a + b);
    totals.push(1e9 / all);
    // As a part of what was fair.
    shares.push(Math.min(...counts) * (counts.length / all));
  }
  const measures = {
    ns: series(totals),
    share: series(shares),
    longest: series(tallies.map(({ longest }) => longest)),
    failed: series([tallies.reduce((sum, { failed }) => sum + failed, 0)]),
  };
  return { name, measures };
}

/** Waits for the common start, and then puts as fast as it can. */
async function child(): Promise<void> {
  const [name = "", folder = "", seconds = "", many = ""] = words;
  const put = (CONTESTANTS[name] as (folder: string, many: number) => Round)(folder, Number(many));
  const keys = Array<string>(Number(many)).fill("key");
  await put(keys);
  process.send?.("ready");
  const [start] = (await once(process, "message")) as [number];
  const counts = Array<number>(Number(seconds)).fill(0);
  while (Date.now() < start);
  let longest = 0;
  let failed = 0;
  for (let before = performance.now(); ; ) {
    const second = Math.floor((Date.now() - start) / 1000);
    if (second >= counts.length) break;
    const admitted = await tryPut();
    if (admitted === undefined) failed++;
    else {
      expectSame(`${name} admitted`, admitted, keys.length);
      (counts[second] as number)++;
    }
    const now = performance.now();
    longest = Math.max(longest, now - before);
    before = now;
  }
  process.send?.({ seconds: counts, longest, failed } satisfies Tally);
  process.disconnect();

  async function tryPut(): Promise<number | undefined> {
    try {
      return await put(keys);
    } catch {
      return undefined;
    }
  }
}
