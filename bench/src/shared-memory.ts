/**
 * One case of the bench of shared memory, in a process of its own: `shared-memory.js TRAFFIC KEYS ROUNDS`,
 * with the traffic `put` (all are admitted) or `refused` (nearly none is).
 *
 * Two threads decide at once. The contestants take turns in short rounds. Prints the timings as
 * JSON: nanoseconds from one decision of both threads together to the next.
 */
import { once } from "node:events";
import { MessageChannel, Worker } from "node:worker_threads";
import { MonotonicClock, Rate, tokenBucket } from "@sluice/core";
import { SharedMemoryBucket } from "@sluice/memory";
import { answer } from "./answer.js";
import { expectWithin } from "./check.js";
import type { Done, Turn, WorkerData } from "./shared-memory-worker.js";
import { summarise } from "./statistics.js";
import { takeTurns } from "./turns.js";

const CALLERS = 2;
/** So many that the keys are known, and the engine is done with what it compiles. */
const WARM_UP = 20;
/** Milliseconds of one contestant in one round. */
const SLICE = 20;
const NAMES = ["by hand, 32 bits", "by hand, 64 bits", "sluice", "asking a thread"];

/** Milliseconds. Half an hour: all that 32 bits of microseconds hold. */
const INTERVAL = 2_000_000;
/** Nothing is refused where there are so many, one a microsecond; and nearly all where there are so few. */
const LIMITS: Readonly<Record<string, number>> = { put: 1000 * INTERVAL, refused: 1000 };

const [traffic = "put", count = "1", rounds = "25"] = process.argv.slice(2);
const keys = Number(count);
const rate = new Rate(LIMITS[traffic] as number, INTERVAL);
const bucket = new SharedMemoryBucket(rate, { algorithm: tokenBucket, maxKeys: Math.max(1000, 2 * keys) });
const begun = performance.now();
const threads = startThreads();
/** What all turns of a contestant admitted. */
const sums = new Map<string, number>();
const slices = NAMES.map((name) => [name, () => time(name)] as const);
const measured = await takeTurns(Object.fromEntries(slices), Number(rounds), WARM_UP);
if (traffic === "refused") checkSums();
const admission = traffic === "refused" ? "nearly all refused" : "all admitted";
answer(
  `${rounds} rounds of ${SLICE} ms each; ${rate.limit} units in ${INTERVAL / 1000} s, ${admission}.`,
  summarise(measured),
);

function startThreads(): Worker[] {
  const channels = Array.from({ length: CALLERS }, () => new MessageChannel());
  const plain = { limit: rate.limit, interval: rate.interval };
  start(
    { role: "decider", rate: plain, ports: channels.map(({ port1 }) => port1) },
    channels.map(({ port1 }) => port1),
  );
  const buffers = [new SharedArrayBuffer(4 * keys), new SharedArrayBuffer(8 * keys)] as const;
  const start32 = new MonotonicClock().now();
  return channels.map(({ port2: port }, i) => {
    const shared = { rate: plain, keys, seed: 7 + i, start: start32, buffers, handle: bucket.share(), port };
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
  const decisions = done.reduce((sum, one) => sum + one.decisions, 0);
  const admitted = done.reduce((sum, one) => sum + one.admitted, 0);
  if (traffic === "put") expectWithin(`${name} admitted`, admitted, decisions, decisions);
  sums.set(name, (sums.get(name) ?? 0) + admitted);
  return 1e6 / done.reduce((sum, { decisions, ms }) => sum + decisions / ms, 0);
}

/** What was there at first, and what came back meanwhile: not one more, and not one less. */
function checkSums(): void {
  const back = Math.ceil(((performance.now() - begun) * rate.limit) / rate.interval);
  for (const [name, admitted] of sums) {
    expectWithin(`${name} admitted`, admitted, keys * rate.limit, keys * (rate.limit + back));
  }
}
