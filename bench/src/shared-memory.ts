/**
 * One case of the bench of shared memory, in a process of its own: `shared-memory.js KEYS LIMIT ROUNDS`.
 *
 * Two threads decide at once, LIMIT a second for each of KEYS keys. The contestants take turns in short rounds, so
 * that whatever else the machine does hits them alike. Prints the timings as JSON: nanoseconds from one decision of
 * both threads together to the next.
 */
import { once } from "node:events";
import { MessageChannel, Worker } from "node:worker_threads";
import { MonotonicClock, Rate, tokenBucket } from "@sluice/core";
import { SharedMemoryBucket } from "@sluice/memory";
import type { Done, Turn, WorkerData } from "./shared-memory-worker.js";
import { summarise } from "./statistics.js";

const CALLERS = 2;
const WARM_UP = 4;
/** Milliseconds of one contestant in one round. */
const SLICE = 20;
const NAMES = ["by hand, 32 bits", "by hand, 64 bits", "sluice", "asking a thread"];

const [count = "1", limit = "100", rounds = "25"] = process.argv.slice(2);
const keys = Number(count);
const rate = new Rate(Number(limit), 1000);
const bucket = new SharedMemoryBucket(rate, { algorithm: tokenBucket, maxKeys: Math.max(1000, 2 * keys) });
const threads = startThreads();
const measured: Map<string, number>[] = [];
for (let round = 0; round < Number(rounds) + WARM_UP; round++) {
  const times = new Map<string, number>();
  for (const name of NAMES) times.set(name, await time(name));
  if (round >= WARM_UP) measured.push(times);
}
process.stdout.write(JSON.stringify(summarise(measured)));
process.exit(0);

function startThreads(): Worker[] {
  const channels = Array.from({ length: CALLERS }, () => new MessageChannel());
  const plain = { limit: rate.limit, interval: rate.interval };
  start(
    { role: "decider", rate: plain, ports: channels.map(({ port1 }) => port1) },
    channels.map(({ port1 }) => port1),
  );
  const buffers = [new SharedArrayBuffer(4 * keys), new SharedArrayBuffer(8 * keys)] as const;
  const begun = new MonotonicClock().now();
  return channels.map(({ port2: port }, i) => {
    const shared = { rate: plain, keys, seed: 7 + i, start: begun, buffers, handle: bucket.share(), port };
    return start({ role: "caller", ...shared }, [port]);
  });
}

function start(workerData: WorkerData, transferList: MessageChannel["port1"][]): Worker {
  return new Worker(new URL("shared-memory-worker.js", import.meta.url), { workerData, transferList });
}

async function time(name: string): Promise<number> {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const turn: Turn = { name, ms: SLICE, gate, callers: CALLERS };
  const done = await Promise.all(
    threads.map(async (thread) => {
      const answer = once(thread, "message");
      thread.postMessage(turn);
      return ((await answer) as [Done])[0];
    }),
  );
  // A limiter that admits too much is not fast but wrong: what was in the buckets, and what came back meanwhile.
  const admitted = done.reduce((sum, { admitted }) => sum + admitted, 0);
  const longest = Math.max(...done.map(({ ms }) => ms));
  const most = keys * (rate.limit + Math.ceil((rate.limit * longest) / rate.interval));
  if (admitted > most) throw new Error(`${name} admitted ${admitted}, ${most} at most.`);
  return 1e6 / done.reduce((sum, { decisions, ms }) => sum + decisions / ms, 0);
}
