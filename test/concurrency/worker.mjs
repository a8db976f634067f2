/**
 * A process that puts, for tests with several: `processes.ts` starts it and sends it a job.
 *
 * It says when it is ready, waits for the word at which all start together, and answers
 * with what it did. It runs on what is built, as users do.
 */
import { once } from "node:events";
import { openSync, writeSync } from "node:fs";
import {
  fixedWindow,
  Limiter,
  leakyBucket,
  slidingWindowCounter,
  slidingWindowLog,
  tokenBucket,
  withObserver,
} from "@sluice/core";

const ALGORITHMS = [slidingWindowLog, tokenBucket, leakyBucket, fixedWindow, slidingWindowCounter];

/** How each store opens a bucket: `at` is a path or a URL. */
const STORES = {
  async sqlite({ at, rates, options }) {
    const { SQLiteBucket } = await import("@sluice/sqlite");
    return SQLiteBucket.open(at, rates, options);
  },
  async postgres({ at, rates, options }) {
    const { PostgresBucket } = await import("@sluice/postgres");
    return PostgresBucket.open(at, rates, options);
  },
  async redis({ at, rates, options }) {
    const { RedisBucket } = await import("@sluice/redis");
    return RedisBucket.open(at, rates, options);
  },
};

/** Milliseconds by which it is told whether a process came to its turn. */
const SLICE = 100;

const [job] = await once(process, "message");
const algorithm = ALGORITHMS.find(({ name }) => name === job.algorithm);
const open = () => STORES[job.store]({ ...job, options: { ...job.options, algorithm } });
// Loads the driver, too, so that all are equally fast from the start.
const opened = job.opensAtStart ? undefined : await open();
const record = job.record === undefined ? undefined : openSync(job.record, "a");
process.send("ready");
await once(process, "message");
const result = { admitted: 0, operations: 0, busySlices: 0, errors: [] };
try {
  const bucket = withObserver(opened ?? (await open()), { onDecision: () => result.operations++ });
  if (job.waiters !== undefined) await acquireAll(new Limiter(bucket));
  else await Promise.all(Array.from({ length: job.inFlight ?? 1 }, () => tryAll(bucket)));
  await bucket.close();
} catch (error) {
  result.errors.push(String(error?.stack ?? error));
}
process.send(result);
process.disconnect();

/** Waits as often as is asked, all at once. */
async function acquireAll(limiter) {
  const acquire = () => limiter.acquire(job.key, { timeout: 60_000 }).then(() => result.admitted++);
  await Promise.all(Array.from({ length: job.waiters }, acquire));
}

/** Puts `tries` times, the last ones by other rates where a job says so, or for `duration` milliseconds. No longer than a minute, lest it outlives who started it. */
async function tryAll(bucket) {
  const tries = job.tries ?? Number.POSITIVE_INFINITY;
  const start = performance.now();
  let slice = -1;
  for (let i = 0; i < tries && performance.now() < start + (job.duration ?? 60_000); i++) {
    if (i === job.replaceAt) await bucket.replaceRates(job.replaceBy, "keep");
    if (!(await bucket.tryPut(job.key))) continue;
    result.admitted++;
    const now = Math.floor((performance.now() - start) / SLICE);
    if (now > slice) result.busySlices++;
    slice = now;
    // Written down at once, so that it counts even if the process is killed now.
    if (record !== undefined) writeSync(record, ".");
  }
}
