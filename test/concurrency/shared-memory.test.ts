import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { type Algorithm, fixedWindow, leakyBucket, slidingWindowCounter, tokenBucket } from "@sluice/core";
import { SharedMemoryBucket, type SharedMemoryHandle } from "@sluice/memory";
import { afterEach, describe, expect, test } from "vitest";
import { audit } from "../../packages/memory/test/shared-audit.js";

const THREADS = 4;
const workers = new Set<Worker>();

afterEach(async () => {
  await Promise.all([...workers].map((worker) => worker.terminate()));
  workers.clear();
});

/** A thread with a job. */
function start(handle: SharedMemoryHandle, job: object): Worker {
  const worker = new Worker(new URL("shared-memory-worker.mjs", import.meta.url), { workerData: { handle, job } });
  workers.add(worker);
  worker.once("exit", () => workers.delete(worker));
  return worker;
}

async function startReady(handle: SharedMemoryHandle, job: object): Promise<Worker> {
  const worker = start(handle, job);
  await once(worker, "message");
  return worker;
}

/** Threads that try when they are told. */
async function startTrying(bucket: SharedMemoryBucket): Promise<Worker[]> {
  return await Promise.all(Array.from({ length: THREADS }, () => startReady(bucket.share(), { name: "try" })));
}

/** Lets each thread try its keys, all at once; gives back the units of each that were admitted. */
async function tryEach(threads: readonly Worker[], keysOf: (thread: number) => string[], tries: number, weights = [1]) {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const answers = threads.map(async (thread, i) => {
    const answer = once(thread, "message");
    thread.postMessage({ keys: keysOf(i), tries, weights, gate, threads: threads.length });
    return ((await answer) as [number[]])[0];
  });
  return await Promise.all(answers);
}

/** Lets all threads try the same keys at once; gives back the units of each that were admitted in all. */
async function tryAtOnce(threads: readonly Worker[], keys: string[], tries: number, weights?: number[]) {
  const admitted = await tryEach(threads, () => keys, tries, weights);
  return keys.map((_, i) => admitted.reduce((sum, units) => sum + (units[i] as number), 0));
}

function total(tally: Int32Array): number {
  return tally.reduce((sum, count) => sum + count, 0);
}

describe(`SharedMemoryBucket, ${THREADS} threads`, () => {
  const algorithms: Algorithm[] = [tokenBucket, leakyBucket, fixedWindow, slidingWindowCounter];

  test.each(algorithms)("$name: a cold key of capacity 100 admits exactly 100", async (algorithm) => {
    const bucket = new SharedMemoryBucket("100/d", { algorithm, maxKeys: 1000 });
    const threads = await startTrying(bucket);
    for (let round = 0; round < 25; round++) {
      expect(await tryAtOnce(threads, [`cold ${round}`], 250)).toEqual([100]);
    }
    const keys = Array.from({ length: 30 }, (_, i) => `one of many ${i}`);
    expect(await tryAtOnce(threads, keys, 250)).toEqual(keys.map(() => 100));
    for (let round = 0; round < 15; round++) {
      const [units = 0] = await tryAtOnce(threads, [`heavy ${round}`], 250, [3, 7, 4, 6, 5]);
      expect(units).toBeLessThanOrEqual(100);
      expect(units).toBeGreaterThan(100 - 3);
      expect(bucket.count(`heavy ${round}`)).toBe(units);
    }
    const size = 25 + 30 + 15;
    expect(audit(bucket.share())).toEqual({ size, keys: size, doubled: 0, lost: 0 });
  });
});

describe(`SharedMemoryBucket, ${THREADS} threads with more keys than it holds`, () => {
  test("stays within its bound, and counts every key that had to go", async () => {
    const bucket = new SharedMemoryBucket("5/d", { algorithm: tokenBucket, maxKeys: 500 });
    const threads = await startTrying(bucket);
    const keysOf = (thread: number) => Array.from({ length: 5000 }, (_, i) => `${thread} ${i}`);
    await tryEach(threads, keysOf, 1);
    // Each thread may be one key ahead.
    expect(bucket.size).toBeLessThanOrEqual(500 + THREADS);
    expect(bucket.size + bucket.evictions).toBe(5000 * THREADS);
    expect(audit(bucket.share())).toEqual({ size: bucket.size, keys: bucket.size, doubled: 0, lost: 0 });
  });
});

describe("SharedMemoryBucket, threads that are terminated", () => {
  test("in the middle of a decision: it was not made, and the others decide on at once", async () => {
    const bucket = new SharedMemoryBucket("100/d", { algorithm: tokenBucket, maxKeys: 1000 });
    bucket.tryPut("ada", 2);
    const flag = new Int32Array(new SharedArrayBuffer(4));
    const handle = bucket.share();
    const worker = start(handle, { name: "stop in the middle", key: "ada", flag });
    Atomics.wait(flag, 0, 0, 20_000);
    // It hangs there; nobody waits for it, alive or dead.
    expect([Atomics.load(flag, 0), bucket.tryPut("ada"), bucket.count("ada")]).toEqual([1, true, 3]);
    await worker.terminate();
    bucket.reclaim(handle);
    expect([bucket.tryPut("ada", 97), bucket.tryPut("ada"), bucket.count("ada")]).toEqual([true, false, 100]);
    expect(audit(bucket.share())).toEqual({ size: 1, keys: 1, doubled: 0, lost: 0 });
  });

  test("at any moment, sixty of them: no update is lost or doubled, and nobody is stuck", async () => {
    const deaths = 60;
    const keys = Array.from({ length: 16 }, (_, i) => `lasting ${i}`);
    const tally = new Int32Array(new SharedArrayBuffer(4 * keys.length));
    const bucket = new SharedMemoryBucket("1000000000/d", { algorithm: fixedWindow, maxKeys: 2000, maxWorkers: 8 });
    let begun = 0;
    const liveAndDie = async () => {
      while (begun < deaths) {
        const seed = begun++ * 1_000_003;
        const handle = bucket.share();
        const worker = await startReady(handle, { name: "hammer", keys, tally, seed });
        const end = total(tally) + 200 + (seed % 3000);
        while (total(tally) < end) await new Promise((resolve) => setTimeout(resolve, 1));
        await worker.terminate();
        bucket.reclaim(handle);
      }
    };
    await Promise.all([liveAndDie(), liveAndDie(), liveAndDie()]);

    // A thread is at most one admission ahead of what it has told.
    const told = total(tally);
    const taken = keys.reduce((sum, key) => sum + bucket.count(key), 0);
    expect(taken).toBeGreaterThanOrEqual(told);
    expect(taken).toBeLessThanOrEqual(told + deaths);

    const found = audit(bucket.share());
    expect(found).toMatchObject({ doubled: 0, keys: found.size });
    // The most that one may have had in its hands between two lists.
    expect(found.lost).toBeLessThanOrEqual(deaths * 32);

    const threads = await startTrying(bucket);
    expect(await tryAtOnce(threads, keys, 100)).toEqual(keys.map(() => 400));
    bucket.flush();
    expect([bucket.size, ...keys.map((key) => bucket.count(key))]).toEqual([0, ...keys.map(() => 0)]);
  }, 60_000);
});
