/**
 * How the cost of a decision grows: `scale.js CASE [--quick]`, with a case of {@link CASES}.
 *
 * Prints the points of one plot as JSON.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Algorithm, fixedWindow, Rate, slidingWindowCounter, slidingWindowLog, tokenBucket } from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import { RedisBucket } from "@sluice/redis";
import { Redis } from "ioredis";
import { makeKey, makeOrder } from "./keys.js";
import type { Plot } from "./plot.js";
import { startRedis } from "./redis-process.js";
import { median } from "./statistics.js";

/** A day: nothing comes back while the bench runs. */
const LONG = 86_400_000;
const ROUNDS = 5;

const [name = "keys", flag] = process.argv.slice(2);
const quick = flag === "--quick";

const CASES: Readonly<Record<string, () => Promise<Plot>>> = { keys, rates, log, "in-flight": inFlight, processes };

const run = CASES[name];
if (run === undefined) throw new Error(`There is no case ${name}: name one of ${Object.keys(CASES).join(", ")}.`);
process.stdout.write(JSON.stringify(await run()));
process.exit(0);

async function keys(): Promise<Plot> {
  const counts = quick ? [1e3, 1e4, 1e5] : [1e3, 1e4, 1e5, 1e6, 1e7];
  const points = counts.map((count): [number, number] => {
    const names = Array.from({ length: count }, (_, i) => makeKey(i));
    const bucket = new InMemoryBucket("100/s", { algorithm: tokenBucket, maxKeys: 2 * count });
    for (const key of names) bucket.tryPut(key);
    const order = makeOrder(count, 7);
    return [count, nsEach((i) => bucket.tryPut(names[order[i & (order.length - 1)] as number] as string))];
  });
  return { title: "Keys in memory", x: "keys", y: "ns a decision", series: { "token bucket": points } };
}

async function rates(): Promise<Plot> {
  const lists = [["10/s"], ["10/s", "100/min"], ["10/s", "100/min", "1000/h"]];
  const algorithms: readonly Algorithm[] = [tokenBucket, fixedWindow, slidingWindowCounter, slidingWindowLog];
  const series = algorithms.map((algorithm): [string, [number, number][]] => [
    algorithm.name,
    lists.map((list) => {
      const names = Array.from({ length: 10_000 }, (_, i) => makeKey(i));
      const bucket = new InMemoryBucket(list, { algorithm });
      const order = makeOrder(names.length, 7);
      const put = (i: number) => bucket.tryPut(names[order[i & (order.length - 1)] as number] as string);
      return [list.length, nsEach(put)];
    }),
  ]);
  return {
    title: "Rates a key, 10,000 keys in memory",
    x: "rates",
    y: "ns a decision",
    series: Object.fromEntries(series),
  };
}

async function log(): Promise<Plot> {
  const limits = quick ? [10, 1000, 100_000] : [10, 100, 1000, 10_000, 100_000];
  const full = (limit: number) => {
    const bucket = new InMemoryBucket(new Rate(limit, 50), { algorithm: slidingWindowLog });
    for (let i = 0; i < limit; i++) bucket.tryPut("hot");
    return nsEach(() => bucket.tryPut("hot"));
  };
  const server = await startRedis();
  const client = new Redis(server.port, "127.0.0.1");
  const redis: [number, number][] = [];
  for (const limit of limits) {
    const bucket = new RedisBucket(client, new Rate(limit, LONG), { name: `limit-${limit}` });
    await bucket.putMany(Array.from({ length: limit - 1 }, () => ({ key: "hot" })));
    // One comes and goes, so that each decision sees a full log.
    const step = async () => {
      await bucket.put({ key: "hot" });
      await bucket.refund({ key: "hot" });
    };
    redis.push([limit, (await nsEachOf(step, quick ? 200 : 1000)) / 2]);
  }
  client.disconnect();
  await server.stop();
  const memory = limits.map((limit): [number, number] => [limit, full(limit)]);
  return {
    title: "Limit of the log, one hot key",
    x: "limit",
    y: "ns a decision",
    series: { "in memory": memory, "Redis, one in flight": redis },
  };
}

async function inFlight(): Promise<Plot> {
  const counts = quick ? [1, 100, 1000] : [1, 10, 100, 1000, 10_000];
  const server = await startRedis();
  const client = new Redis(server.port, "127.0.0.1");
  const names = Array.from({ length: 10_000 }, (_, i) => makeKey(i));
  const series: Record<string, [number, number][]> = {};
  for (const [title, keyCount] of [["one hot key", 1] as const, ["10,000 keys", 10_000] as const]) {
    const bucket = new RedisBucket(client, new Rate(1e9, LONG), { algorithm: tokenBucket, name: title });
    const order = makeOrder(keyCount, 7);
    const points: [number, number][] = [];
    for (const count of counts) points.push([count, await concurrently(bucket, names, order, count)]);
    series[title] = points;
  }
  client.disconnect();
  await server.stop();
  return { title: "Calls in flight on Redis", x: "in flight", y: "ns a decision", series };
}

async function concurrently(bucket: RedisBucket, names: string[], order: Uint32Array, count: number): Promise<number> {
  const total = Math.max(count === 1 ? 2000 : 20_000, 2 * count);
  const times: number[] = [];
  for (let round = 0; round < (quick ? 2 : ROUNDS); round++) {
    let next = 0;
    const work = async () => {
      while (next < total) await bucket.tryPut(names[order[next++ & (order.length - 1)] as number] as string);
    };
    const start = performance.now();
    await Promise.all(Array.from({ length: count }, work));
    times.push((1e6 * (performance.now() - start)) / total);
  }
  return median(times);
}

async function processes(): Promise<Plot> {
  const server = await startRedis();
  const worker = fileURLToPath(new URL("scale-process.js", import.meta.url));
  const points: [number, number][] = [];
  for (const count of [1, 2, 3, 4]) {
    const start = `${Date.now() + 700}`;
    const duration = quick ? "500" : "2000";
    const runs = Array.from({ length: count }, () =>
      promisify(execFile)(process.execPath, [worker, `${server.port}`, start, duration]),
    );
    const decided = (await Promise.all(runs)).reduce((sum, { stdout }) => sum + Number(stdout), 0);
    points.push([count, (1e6 * Number(duration)) / decided]);
  }
  await server.stop();
  return {
    title: "Processes on one Redis, 100 in flight in each",
    x: "processes",
    y: "ns a decision, over all",
    series: { "10,000 keys": points },
  };
}

/** Nanoseconds a call: the median of some rounds after a warm-up. */
function nsEach(call: (i: number) => unknown): number {
  const calls = quick ? 50_000 : 300_000;
  const times: number[] = [];
  for (let round = -1; round < ROUNDS; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) call(i + round * calls);
    if (round >= 0) times.push(Number(process.hrtime.bigint() - start) / calls);
  }
  return median(times);
}

async function nsEachOf(call: () => Promise<unknown>, calls: number): Promise<number> {
  const times: number[] = [];
  for (let round = -1; round < 3; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) await call();
    if (round >= 0) times.push(Number(process.hrtime.bigint() - start) / calls);
  }
  return median(times);
}
