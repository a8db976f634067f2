/**
 * One case of the speed bench, in a process of its own: `memory-speed.js CASE KEYS ROUNDS CALLS`,
 * with the case `token-bucket`, `zipf`, `refused` or `log`.
 *
 * The contestants take turns in short rounds, so that whatever else the machine does hits
 * them alike. Prints the timings as JSON.
 */
import { Rate } from "@sluice/core";
import * as contestants from "./contestants.js";
import { makeKeys, makeOrder, makeZipfOrder } from "./keys.js";
import { summarise } from "./statistics.js";

const WARM_UP = 3;

const [name = "token-bucket", count = "1", rounds = "15", calls = "300000"] = process.argv.slice(2);
const keys = makeKeys(Number(count));
const order = name === "zipf" ? makeZipfOrder(keys.length, 7) : makeOrder(keys.length, 7);

function line(rate: Rate): Record<string, contestants.Contestant> {
  const floor = { "hand-written": contestants.handWritten(rate, keys.length) };
  if (name === "log") return { ...floor, sluice: contestants.sluice(rate, contestants.slidingWindowLog) };
  return {
    ...floor,
    sluice: contestants.sluice(rate, contestants.tokenBucket),
    hitlimit: contestants.hitlimit(rate),
    "hono-rate-limiter": contestants.hono(rate),
  };
}

// Of nearly all that are refused, as many as one a second and key is admitted.
const limits: Record<string, number> = { log: 10, refused: 1 };
const rate = new Rate(limits[name] ?? 100, 1000);
const all = Object.entries(line(rate));
for (const [, decide] of all) for (const key of keys) decide(key);

const measured: Map<string, number>[] = [];
for (let round = 0; round < Number(rounds) + WARM_UP; round++) {
  const times = new Map<string, number>();
  for (const [contestant, decide] of all) times.set(contestant, time(contestant, decide, round));
  if (round >= WARM_UP) measured.push(times);
}
process.stdout.write(JSON.stringify(summarise(measured)));
process.exit(0);

function time(contestant: string, decide: contestants.Contestant, round: number): number {
  const total = Number(calls);
  const start = process.hrtime.bigint();
  let admitted = 0;
  for (let i = 0; i < total; i++) {
    if (decide(keys[order[(i + round * total) & (order.length - 1)] as number] as string)) admitted++;
  }
  const ns = Number(process.hrtime.bigint() - start);
  // A limiter that admits too much is not fast but wrong. Two windows of a fixed window may touch a round.
  const most = keys.length * rate.limit * (2 + Math.ceil(ns / 1e6 / rate.interval));
  if (admitted > most) throw new Error(`${contestant} admitted ${admitted} of ${total}, ${most} at most.`);
  return ns / total;
}
