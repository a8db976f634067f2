/**
 * One case of the bench on a SQLite file, in a process of its own: `sqlite.js CASE KEYS ROUNDS CALLS`,
 * with the case `put` (all are admitted), `refused` (nearly none is), `many` or `log`.
 *
 * The contestants take turns in short rounds, so that whatever else the machine does hits
 * them alike. Prints the timings as JSON; the first contestant is the one to compare with.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeKeys, makeOrder } from "./keys.js";
import * as contestants from "./sqlite-contestants.js";
import { summarise } from "./statistics.js";

const WARM_UP = 2;

const [name = "put", count = "1", rounds = "15", calls = "5000"] = process.argv.slice(2);
const keys = makeKeys(Number(count));
const order = makeOrder(keys.length, 7);
const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));

async function line(): Promise<Record<string, contestants.Round>> {
  if (name === "many") {
    return { "single puts": contestants.puts(folder, 1), "putMany of 100": contestants.puts(folder, 100, "many") };
  }
  if (name === "log") {
    const limits = [10, 40, 100, 1000, 100_000].map((limit) => [`log of ${limit}`, contestants.fullLog(folder, limit)]);
    return { "token bucket": contestants.sluice(folder), ...Object.fromEntries(limits) };
  }
  // As many as 100 a second are admitted where puts are to be refused.
  const limit = name === "refused" ? 100 : undefined;
  return {
    "by hand": contestants.byHand(folder, limit),
    sluice: contestants.sluice(folder, limit),
    "rate-limiter-flexible": await contestants.flexible(folder, limit),
  };
}

const all = Object.entries(await line());
for (const [, puts] of all) await puts(keys);

const measured: Map<string, number>[] = [];
for (let round = 0; round < Number(rounds) + WARM_UP; round++) {
  const start = round * Number(calls);
  const walk = Array.from(
    { length: Number(calls) },
    (_, i) => keys[order[(start + i) % order.length] as number] as string,
  );
  const times = new Map<string, number>();
  for (const [contestant, puts] of all) times.set(contestant, await time(puts, walk));
  if (round >= WARM_UP) measured.push(times);
}
process.stdout.write(JSON.stringify(summarise(measured)));
rmSync(folder, { recursive: true });
process.exit(0);

/** Nanoseconds a put. */
async function time(puts: contestants.Round, walk: readonly string[]): Promise<number> {
  const start = process.hrtime.bigint();
  const admitted = await puts(walk);
  const ns = Number(process.hrtime.bigint() - start);
  if (name !== "refused" && admitted !== walk.length) throw new Error(`Of ${walk.length}, ${admitted} were admitted.`);
  return ns / walk.length;
}
