/**
 * The bench on Redis: `redis.js CASE ROUNDS DECISIONS`, with a case of {@link CASES}.
 *
 * The contestants take turns in short rounds. Prints, as JSON, the nanoseconds from one decision
 * to the next, microseconds of processor time a decision here and at the server, and the
 * milliseconds that 99 of 100 decisions took at most.
 */
import { Rate } from "@sluice/core";
import { answer } from "./answer.js";
import { expectSame } from "./check.js";
import { flat, makeKeys, makeOrder, makeZipfOrder } from "./keys.js";
import { type Contestant, contestants } from "./redis-contestants.js";
import { startRedis } from "./redis-process.js";
import { summarise } from "./statistics.js";
import { takeTurns } from "./turns.js";

/** Keys, decisions in flight, and how many units a key has. */
interface Case {
  readonly keys: number;
  readonly order?: (count: number, seed: number) => Uint32Array;
  readonly inFlight: number;
  readonly limit: (decisions: number) => number;
}

/** So many that nothing is refused. */
const plenty = () => 1_000_000;
const CASES: Record<string, Case> = {
  "many-keys": { keys: 10_000, inFlight: 1000, limit: plenty },
  zipf: { keys: 1_000_000, order: makeZipfOrder, inFlight: 1000, limit: plenty },
  // Half are refused, and which ones are not is known.
  "hot-key": { keys: 1, inFlight: 1000, limit: (decisions) => decisions / 2 },
  // The warm-up takes the one unit that each key has.
  refused: { keys: 10_000, inFlight: 1000, limit: () => 1 },
  "one-in-flight": { keys: 10_000, inFlight: 1, limit: plenty },
};
const WARM_UP = 2;
/** Nothing comes back while the bench runs. */
const INTERVAL = 1e10;
/** More than these are not all seen in the warm-up. */
const FEW_KEYS = 10_000;

const [name = "many-keys", rounds = "15", total = "20000"] = process.argv.slice(2);
const decisions = Number(total);
const chosen = CASES[name];
if (chosen === undefined) throw new Error(`There is no case ${name}: name one of ${Object.keys(CASES).join(", ")}.`);
const { keys: count, inFlight } = chosen;
const limit = chosen.limit(decisions);
const keys = makeKeys(count);
const order = (chosen.order ?? makeOrder)(count, 7);

const server = await startRedis();
const line = await contestants(server.port, new Rate(limit, INTERVAL));
if (count > 1 && count <= FEW_KEYS) for (const contestant of line) await seeAll(contestant);
const slices = line.map((contestant) => [contestant.name, (turn: number) => run(contestant, turn)] as const);
const measured = await takeTurns(Object.fromEntries(slices), Number(rounds), WARM_UP);
for (const contestant of line) await contestant.close();
await server.stop();
const admission = { refused: "all refused", "hot-key": "half refused" }[name] ?? "all admitted";
const asked = `${rounds} rounds of ${decisions} decisions`;
answer(`${asked}; units a key: ${limit}, ${admission}. ${server.software}`, summarise(measured));

async function run(contestant: Contestant, turn: number) {
  const from = (turn + WARM_UP) * decisions;
  // Where there is one key, each round has its own, so that all rounds find the same.
  const hot = flat(`${keys[0]}-${turn}`);
  const keyOf = (i: number) => (count === 1 ? hot : (keys[order[(i + from) & (order.length - 1)] as number] as string));
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
  const serverBefore = await server.cpu();
  const before = process.cpuUsage();
  const start = process.hrtime.bigint();
  await Promise.all(Array.from({ length: inFlight }, work));
  const ns = Number(process.hrtime.bigint() - start) / decisions;
  const { user, system } = process.cpuUsage(before);
  const serverCpu = ((await server.cpu()) - serverBefore) / decisions;
  expectSame(`${contestant.name} admitted`, admitted, expected(contestant));
  const p99 = waits.sort((a, b) => a - b)[Math.floor(decisions * 0.99)] as number;
  return { ns, clientCpu: (user + system) / decisions, serverCpu, p99 };
}

function expected({ name: contestant }: Contestant): number {
  if (contestant === "PING") return decisions;
  return name === "refused" ? 0 : Math.min(decisions, limit);
}

/** Lets a contestant see every key once. */
async function seeAll({ decide }: Contestant): Promise<void> {
  for (let i = 0; i < keys.length; i += 500) await Promise.all(keys.slice(i, i + 500).map(decide));
}
