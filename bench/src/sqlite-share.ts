/**
 * How processes share one SQLite file: `sqlite-share.js PROCESSES SECONDS [MANY]`.
 *
 * Each puts for one key as fast as it can, and counts its transactions second by second;
 * with MANY, the first one puts so many items in each. Prints for Sluice, and for the raw
 * upsert with better-sqlite3's own waiting, what all of them did and the least that one
 * of them had in any second, as a part of its fair share.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { byHand, puts, type Round } from "./sqlite-contestants.js";

/** What one process did. */
interface Tally {
  /** Transactions in each second. */
  readonly seconds: readonly number[];
  /** The longest that one took, in milliseconds. */
  readonly longest: number;
  /** Transactions that failed. */
  readonly failed: number;
}

/** What all of them did. */
export interface Share {
  readonly name: string;
  /** Transactions a second, all processes together. */
  readonly rate: number;
  /** The least that one process had in a second, as a part of its fair share of all transactions in that second. */
  readonly least: number;
  /** Transactions a second of each process. */
  readonly rates: readonly number[];
  /** The longest that one transaction took, in milliseconds. */
  readonly longest: number;
  /** Transactions that failed, because the file was locked for 5 s. */
  readonly failed: number;
}

const CONTESTANTS: Record<string, (folder: string, many: number) => Round> = {
  sluice: puts,
  "by hand": (folder) => byHand(folder),
};

const [role = "4", ...words] = process.argv.slice(2);
if (role === "child") await child();
else await main(Number(role), Number(words[0] ?? 10), Number(words[1] ?? 1));

async function main(processes: number, seconds: number, many: number): Promise<void> {
  const shares: Share[] = [];
  // What is done by hand knows no putMany.
  for (const name of many === 1 ? Object.keys(CONTESTANTS) : ["sluice"]) {
    shares.push(await measure(name, processes, seconds, many));
  }
  process.stdout.write(JSON.stringify(shares));
}

async function measure(name: string, processes: number, seconds: number, many: number): Promise<Share> {
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

function summary(name: string, seconds: number, tallies: readonly Tally[]): Share {
  let [total, least] = [0, 1];
  for (let second = 0; second < seconds; second++) {
    const counts = tallies.map((tally) => tally.seconds[second] as number);
    const all = counts.reduce((a, b) => a + b);
    total += all;
    least = Math.min(least, ...counts.map((count) => (count * counts.length) / all));
  }
  const rates = tallies.map((tally) => tally.seconds.reduce((a, b) => a + b) / seconds);
  const longest = Math.max(...tallies.map((tally) => tally.longest));
  const failed = tallies.reduce((sum, tally) => sum + tally.failed, 0);
  return { name, rate: total / seconds, least, rates, longest, failed };
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
    try {
      await put(keys);
      (counts[second] as number)++;
    } catch {
      failed++;
    }
    const now = performance.now();
    longest = Math.max(longest, now - before);
    before = now;
  }
  process.send?.({ seconds: counts, longest, failed } satisfies Tally);
  process.disconnect();
}
