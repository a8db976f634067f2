/**
 * One thread of the bench of shared memory: decides for as long as it is told, by the contestant that it is told.
 */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { Rate, tokenBucket } from "@sluice/core";
import { InMemoryBucket, type SharedMemoryHandle } from "@sluice/memory";
import { makeKeys, makeOrder } from "./keys.js";
import * as contestants from "./shared-memory-contestants.js";

/** What a thread is started with. */
export type WorkerData =
  | { readonly role: "decider"; readonly rate: PlainRate; readonly ports: readonly MessagePort[] }
  | {
      readonly role: "caller";
      readonly rate: PlainRate;
      readonly keys: number;
      readonly seed: number;
      readonly start: number;
      readonly buffers: readonly [SharedArrayBuffer, SharedArrayBuffer];
      readonly handle: SharedMemoryHandle;
      readonly port: MessagePort;
    };

/** What a caller is told to do. */
export interface Turn {
  readonly name: string;
  readonly ms: number;
  /** Counts the callers that are ready; they begin when all are. */
  readonly gate: Int32Array;
  readonly callers: number;
}

/** What a caller did. */
export interface Done {
  readonly decisions: number;
  readonly admitted: number;
  readonly ms: number;
}

interface PlainRate {
  readonly limit: number;
  readonly interval: number;
}

/** Decisions between two looks at the clock. */
const STRIDE = 64;

const data = workerData as WorkerData;
const rate = new Rate(data.rate.limit, data.rate.interval);
if (data.role === "decider") decideForAll(data.ports);
else call(data);

function decideForAll(ports: readonly MessagePort[]): void {
  const bucket = new InMemoryBucket(rate, { algorithm: tokenBucket });
  for (const port of ports) port.on("message", (key: string) => port.postMessage(bucket.tryPut(key)));
}

function call({ keys: count, seed, start, buffers, handle, port }: WorkerData & { role: "caller" }): void {
  const keys = makeKeys(count);
  const order = makeOrder(count, seed);
  const [buffer32, buffer64] = buffers;
  const decide: Record<string, contestants.Decide> = {
    "by hand, 32 bits": contestants.byHand32({ buffer: buffer32, rate, keys, start }),
    "by hand, 64 bits": contestants.byHand64({ buffer: buffer64, rate, keys, start }),
    sluice: contestants.sluice(handle),
  };
  const ask = contestants.byMessage(port);
  let at = 0;
  const nextKey = () => keys[order[at++ & (order.length - 1)] as number] as string;

  parentPort?.on("message", (turn: Turn) => {
    Atomics.add(turn.gate, 0, 1);
    while (Atomics.load(turn.gate, 0) < turn.callers);
    const chosen = decide[turn.name];
    if (chosen !== undefined) parentPort?.postMessage(decideFor(turn.ms, chosen));
    else void askFor(turn.ms).then((done) => parentPort?.postMessage(done));
  });

  function decideFor(ms: number, chosen: contestants.Decide): Done {
    const begun = performance.now();
    const done = { decisions: 0, admitted: 0, ms: 0 };
    while (done.ms < ms) {
      for (let i = 0; i < STRIDE; i++) if (chosen(nextKey())) done.admitted++;
      done.decisions += STRIDE;
      done.ms = performance.now() - begun;
    }
    return done;
  }

  async function askFor(ms: number): Promise<Done> {
    const begun = performance.now();
    const done = { decisions: 0, admitted: 0, ms: 0 };
    while (done.ms < ms) {
      if (await ask(nextKey())) done.admitted++;
      done.decisions++;
      done.ms = performance.now() - begun;
    }
    return done;
  }
}
