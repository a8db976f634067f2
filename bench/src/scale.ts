/**
 * How the cost of a decision grows: `scale.js CASE [--quick]`, with a case of {@link CASES}.
 *
 * The points of a plot take turns in short rounds. In all of them everything is admitted.
 * Prints one plot as JSON.
 */
import { execFile, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Algorithm, fixedWindow, Rate, slidingWindowCounter, slidingWindowLog, tokenBucket } from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import { RedisBucket } from "@sluice/redis";
import { Redis } from "ioredis";
import { answer } from "./answer.js";
import { expectSame } from "./check.js";
import { DAY, makeKeys, makeOrder, makeWalk, PLENTY } from "./keys.js";
import type { Plot, Point } from "./plot.js";
import { type RedisProcess, startRedis } from "./redis-process.js";
import { summarise } from "./statistics.js";
import { nsEach, type Slice, takeTurns } from "./turns.js";

/** Nanoseconds a decision, in a short round; in the plot at `x`, on the line called `line`. */
interface Spot {
  readonly line: string;
  readonly x: number;
  readonly run: Slice<number>;
}

const WARM_UP = 1;

const [name = "keys", flag] = process.argv.slice(2);
const quick = flag === "--quick";
// Rounds of processes are long, since each begins with a start.
const rounds = quick ? 3 : name === "processes" ? 5 : 9;
const calls = quick ? 50_000 : 300_000;

const CASES: Readonly<Record<string, () => Promise<void>>> = { keys, rates, log, "in-flight": inFlight, processes };

const chosen = CASES[name];
if (chosen === undefined) throw new Error(`There is no case ${name}: name one of ${Object.keys(CASES).join(", ")}.`);
await chosen();

/** Each count in a process of its own, so that none walks over the heap of another. */
async function keys(): Promise<void> {
  const counts = quick ? [1e3, 1e4, 1e5] : [1e3, 1e4, 1e5, 1e6, 1e7];
  const spots: Spot[] = [];
  for (const x of counts) {
    const child = fork(fileURLToPath(new URL("scale-keys.js", import.meta.url)), [`${x}`, `${calls}`], {
      execArgv: [...process.execArgv, "--max-old-space-size=8192"],
    });
    await once(child, "message");
    const run = async () => {
      const told = once(child, "message");
      child.send("go");
      return ((await told) as [number])[0];
    };
    spots.push({ line: "token bucket", x, run });
  }
  const settings = `${calls} calls a round, for keys drawn anew from all of them.`;
  await tell({ title: "Keys in memory", x: "keys", y: "ns a decision" }, spots, settings);
}

async function rates(): Promise<void> {
  // A thousand in a millisecond, and less and less beyond: short, so that the log forgets what it has seen.
  const all = [new Rate(1000, 1), new Rate(1900, 2), new Rate(2700, 3)];
  const algorithms: readonly Algorithm[] = [tokenBucket, fixedWindow, slidingWindowCounter, slidingWindowLog];
  const names = makeKeys(10_000);
  const spots = algorithms.flatMap((algorithm) =>
    all.map((_, i): Spot => {
      const bucket = new InMemoryBucket(all.slice(0, i + 1), { algorithm });
      const walk = makeWalk(names.length, 7);
      return { line: algorithm.name, x: i + 1, run: () => nsOfPuts(() => bucket.tryPut(names[walk()] as string)) };
    }),
  );
  const settings = `${calls} calls a round; the rates are ${all.join(", ")}.`;
  await tell({ title: "Rates a key, 10,000 keys in memory", x: "rates", y: "ns a decision" }, spots, settings);
}

/** One comes and is taken back, so that each decision sees the same log, all but full. */
async function log(): Promise<void> {
  const limits = quick ? [10, 1000, 100_000] : [10, 100, 1000, 10_000, 100_000];
  const trips = quick ? 200 : 1000;
  const server = await startRedis();
  const client = new Redis(server.port, "127.0.0.1");
  const options = { algorithm: slidingWindowLog };
  const spots: Spot[] = [];
  for (const limit of limits) {
    const rate = new Rate(limit, DAY);
    const memory = new InMemoryBucket(rate, options);
    const redis = new RedisBucket(client, rate, { ...options, name: `limit-${limit}` });
    const entries = Array.from({ length: limit - 1 }, () => ({ key: "hot" }));
    memory.putMany(entries);
    await redis.putMany(entries);
    const inMemory = () => {
      const { allowed } = memory.put({ key: "hot" });
      memory.refund({ key: "hot" });
      return allowed;
    };
    const onRedis = async () => {
      const { allowed } = await redis.put({ key: "hot" });
      await redis.refund({ key: "hot" });
      return allowed;
    };
    spots.push({ line: "in memory", x: limit, run: () => nsOfStays(inMemory, calls / 2) });
    spots.push({ line: "Redis, one in flight", x: limit, run: () => nsOfStays(onRedis, trips) });
  }
  const settings = `A log that lacks one entry: puts and refunds in turn, ${calls} of them a round, on Redis ${2 * trips}. ${server.software}`;
  await tell({ title: "Limit of the log, one hot key", x: "limit", y: "ns a put or refund" }, spots, settings, server);
}

async function inFlight(): Promise<void> {
  const counts = quick ? [1, 100, 1000] : [1, 10, 100, 1000, 10_000];
  const server = await startRedis();
  const client = new Redis(server.port, "127.0.0.1");
  const spots: Spot[] = [];
  for (const [line, keyCount] of [["one hot key", 1] as const, ["10,000 keys", 10_000] as const]) {
    const bucket = new RedisBucket(client, new Rate(PLENTY, DAY), { algorithm: tokenBucket, name: line });
    const names = makeKeys(keyCount);
    const order = makeOrder(keyCount, 7);
    for (const x of counts) spots.push({ line, x, run: () => concurrently(bucket, names, order, x) });
  }
  const settings = `20,000 decisions a round, with one in flight 2,000. ${server.software}`;
  await tell({ title: "Calls in flight on Redis", x: "in flight", y: "ns a decision" }, spots, settings, server);
}

async function processes(): Promise<void> {
  const server = await startRedis();
  const worker = fileURLToPath(new URL("scale-process.js", import.meta.url));
  const ms = quick ? 500 : 1000;
  const spots = [1, 2, 3, 4].map((x): Spot => {
    const run = async () => {
      const start = Date.now() + 700;
      const workers = Array.from({ length: x }, (_, seed) =>
        promisify(execFile)(process.execPath, [worker, `${server.port}`, `${start}`, `${ms}`, `${seed + 1}`]),
      );
      const decided = (await Promise.all(workers)).reduce((sum, { stdout }) => sum + Number(stdout), 0);
      return (1e6 * ms) / decided;
    };
    return { line: "10,000 keys", x, run };
  });
  const settings = `${ms} ms a round. ${server.software}`;
  const title = "Processes on one Redis, 100 in flight in each";
  await tell({ title, x: "processes", y: "ns a decision, over all" }, spots, settings, server);
}

/** Lets the spots take turns, and prints the plot. */
async function tell(
  about: Omit<Plot, "series">,
  spots: readonly Spot[],
  settings: string,
  server?: RedisProcess,
): Promise<never> {
  const named = spots.map(({ line, x, run }) => [`${line}, ${x}`, run] as const);
  const measured = summarise(await takeTurns(Object.fromEntries(named), rounds, WARM_UP));
  await server?.stop();
  const pointsOf = (line: string) =>
    spots.flatMap((spot): Point[] => {
      const { ns } = measured.find(({ name }) => name === `${line}, ${spot.x}`)?.measures ?? {};
      return spot.line === line && ns !== undefined ? [{ x: spot.x, y: ns }] : [];
    });
  const series = Object.fromEntries(spots.map(({ line }) => [line, pointsOf(line)]));
  answer(`Medians of ${rounds} rounds, least and most; all admitted. ${settings}`, [{ ...about, series }]);
}

function nsOfPuts(put: () => boolean): number {
  let admitted = 0;
  const start = process.hrtime.bigint();
  for (let i = 0; i < calls; i++) if (put()) admitted++;
  const ns = nsEach(start, calls);
  expectSame("Calls that were admitted", admitted, calls);
  return ns;
}

/** Of puts that are taken back: nanoseconds a put or refund. */
async function nsOfStays(stay: () => boolean | Promise<boolean>, stays: number): Promise<number> {
  let admitted = 0;
  const start = process.hrtime.bigint();
  for (let i = 0; i < stays; i++) {
    const stayed = stay();
    if (typeof stayed === "boolean" ? stayed : await stayed) admitted++;
  }
  const ns = nsEach(start, 2 * stays);
  expectSame("Puts that were admitted", admitted, stays);
  return ns;
}

async function concurrently(
  bucket: RedisBucket,
  names: readonly string[],
  order: Uint32Array,
  count: number,
): Promise<number> {
  const total = count === 1 ? 2000 : 20_000;
  let next = 0;
  let admitted = 0;
  const work = async () => {
    while (next < total) {
      if (await bucket.tryPut(names[order[next++ & (order.length - 1)] as number] as string)) admitted++;
    }
  };
  const start = process.hrtime.bigint();
  await Promise.all(Array.from({ length: count }, work));
  const ns = nsEach(start, total);
  expectSame("Calls that were admitted", admitted, total);
  return ns;
}
