/**
 * The bench on Redis: `redis.js CASE ROUNDS DECISIONS`, with a case of {@link CASES}.
 *
 * The contestants take turns in short rounds, so that whatever else the machine does hits
 * them alike. Prints a row for each as JSON.
 */
import { Rate } from "@sluice/core";
import { makeKeys, makeOrder } from "./keys.js";
import { type Contestant, contestants } from "./redis-contestants.js";
import { type RedisProcess, startRedis } from "./redis-process.js";
import { median } from "./statistics.js";

/** What one contestant did in one round. */
interface Round {
  readonly perSecond: number;
  /** Microseconds of processor time a decision, here and at the server. */
  readonly clientCpu: number;
  readonly serverCpu: number;
  /** Milliseconds that 99 of 100 decisions took at most. */
  readonly p99: number;
  /** How many more were admitted than may be; below 0, fewer. */
  readonly excess: number;
}

/** Keys, decisions in flight, and how many units a key has for a round. */
const CASES: Record<string, { keys: number; inFlight: number; limit: (decisions: number) => number }> = {
  "many-keys": { keys: 10_000, inFlight: 1000, limit: () => 1_000_000 },
  "hot-key": { keys: 1, inFlight: 1000, limit: (decisions) => decisions / 2 },
  "one-in-flight": { keys: 10_000, inFlight: 1, limit: () => 1_000_000 },
};
const WARM_UP = 2;
/** Nothing comes back while the bench runs. */
const INTERVAL = 1e10;

const [name = "many-keys", rounds = "15", total = "20000"] = process.argv.slice(2);
const decisions = Number(total);
const chosen = CASES[name];
if (chosen === undefined) throw new Error(`There is no case ${name}: name one of ${Object.keys(CASES).join(", ")}.`);
const { keys: count, inFlight } = chosen;
const limit = chosen.limit(decisions);
const keys = makeKeys(count);
const order = makeOrder(count, 7);

const server = await startRedis();
const line = await contestants(server.port, new Rate(limit, INTERVAL));
const measured = new Map<string, Round[]>(line.map((contestant) => [contestant.name, []]));
for (let round = 0; round < Number(rounds) + WARM_UP; round++) {
  // Everyone is first at times.
  for (let i = 0; i < line.length; i++) {
    const contestant = line[(i + round) % line.length] as Contestant;
    const result = await run(contestant, server, round);
    if (round >= WARM_UP) measured.get(contestant.name)?.push(result);
  }
}
for (const contestant of line) await contestant.close();
await server.stop();
process.stdout.write(`${JSON.stringify([...measured].map(([contestant, list]) => summary(contestant, list)))}\n`);

async function run(contestant: Contestant, { cpu }: RedisProcess, round: number): Promise<Round> {
  // Where there is one key, each round has its own, so that all rounds find the same.
  const keyOf = (i: number) =>
    count === 1
      ? `${keys[0]}-${round}`
      : (keys[order[(i + round * decisions) & (order.length - 1)] as number] as string);
  const waits: number[] = [];
  let next = 0;
  let admitted = 0;
  const work = async () => {
    while (next < decisions) {
      const asked = performance.now();
      if (await contestant.decide(keyOf(next++))) admitted++;
      waits.push(performance.now() - asked);
    }
  };
  const serverBefore = await cpu();
  const before = process.cpuUsage();
  const start = performance.now();
  await Promise.all(Array.from({ length: inFlight }, work));
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  const serverCpu = ((await cpu()) - serverBefore) / decisions;
  const expected = contestant.name === "PING" ? decisions : Math.min(decisions, limit);
  // A limiter that admits too much or too little is not fast but wrong: of a peer that is told, of Sluice it ends the bench.
  if (admitted !== expected && contestant.name === "sluice") {
    throw new Error(`sluice admitted ${admitted} and not ${expected}.`);
  }
  const p99 = waits.sort((a, b) => a - b)[Math.floor(decisions * 0.99)] as number;
  return {
    perSecond: decisions / seconds,
    clientCpu: (user + system) / decisions,
    serverCpu,
    p99,
    excess: admitted - expected,
  };
}

function summary(contestant: string, list: readonly Round[]) {
  const of = (what: keyof Round) => median(list.map((round) => round[what]));
  return {
    name: contestant,
    perSecond: of("perSecond"),
    clientCpu: of("clientCpu"),
    serverCpu: of("serverCpu"),
    p99: of("p99"),
    excess: of("excess"),
  };
}
