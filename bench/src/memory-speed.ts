/**
 * One case of the speed bench, in a process of its own: `memory-speed.js CASE KEYS ROUNDS CALLS`,
 * with the case `token-bucket`, `zipf`, `refused` or `log`.
 *
 * The contestants take turns in short rounds, after a call for each key. Of the log, whose
 * rate is a target's, nearly all is refused where keys are few and nearly all admitted where
 * they are many; of the other cases all is admitted, or all refused. Prints the timings as JSON.
 */
import { Rate } from "@sluice/core";
import { answer } from "./answer.js";
import { expectSame, expectWithin } from "./check.js";
import * as contestants from "./contestants.js";
import { DAY, makeKeys, makeOrder, makeZipfOrder, PLENTY } from "./keys.js";
import { summarise } from "./statistics.js";
import { nsEach, takeTurns } from "./turns.js";

const WARM_UP = 3;
/** Units that there are in all when it is checked how many are admitted. */
const FEW = 100;
const LOG = new Rate(10, 1000);

const [name = "token-bucket", count = "1", rounds = "15", calls = "300000"] = process.argv.slice(2);
const keys = makeKeys(Number(count));
const order = name === "zipf" ? makeZipfOrder(keys.length, 7) : makeOrder(keys.length, 7);
const total = Number(calls);
const rate = name === "log" ? LOG : new Rate(name === "refused" ? 1 : PLENTY, DAY);

/** What a contestant did in all its turns. */
interface Sum {
  readonly begun: number;
  asked: number;
  admitted: number;
}

for (const [contestant, decide] of Object.entries(line(new Rate(FEW, DAY)))) check(contestant, decide);
const slices = Object.entries(line(rate)).map(([contestant, decide]) => {
  const sum: Sum = { begun: performance.now(), asked: keys.length, admitted: 0 };
  for (const key of keys) if (decide(key)) sum.admitted++;
  return [contestant, (turn: number) => time(contestant, decide, sum, turn)] as const;
});
const measured = await takeTurns(Object.fromEntries(slices), Number(rounds), WARM_UP);
const admission = { log: "some admitted", refused: "all refused" }[name] ?? "all admitted";
const perKey = name === "log" ? "10/s" : `${rate.limit}/day`;
answer(`${rounds} rounds of ${calls} calls each; ${perKey} a key, ${admission}.`, summarise(measured));

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

function check(contestant: string, decide: contestants.Contestant): void {
  let admitted = 0;
  for (let i = 0; i < 3 * FEW; i++) if (decide("few")) admitted++;
  expectSame(`${contestant} admitted of ${3 * FEW}`, admitted, FEW);
}

function time(contestant: string, decide: contestants.Contestant, sum: Sum, turn: number): number {
  let admitted = 0;
  const from = (turn + WARM_UP) * total;
  const start = process.hrtime.bigint();
  for (let i = 0; i < total; i++) {
    if (decide(keys[order[(from + i) & (order.length - 1)] as number] as string)) admitted++;
  }
  const ns = nsEach(start, total);
  sum.asked += total;
  sum.admitted += admitted;
  if (name === "log") checkLog(contestant, sum);
  else expectSame(`${contestant} admitted`, admitted, name === "refused" ? 0 : total);
  return ns;
}

/** In all its time a contestant fills each key once at least, if that is asked, and once more in each second at most. */
function checkLog(contestant: string, { begun, asked, admitted }: Sum): void {
  const full = keys.length * rate.limit;
  const seconds = Math.ceil((performance.now() - begun) / rate.interval);
  // Which keys come how often is chance.
  expectWithin(`${contestant} admitted`, admitted, 0.9 * Math.min(full, asked), full * (1 + seconds));
}
