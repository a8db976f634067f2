/**
 * What a million keys take, and how they are given back: `memory-size.js CONTESTANT`, with --expose-gc.
 *
 * Prints JSON: bytes a key in all, strings included; the longest time that the event loop
 * stood still while they expired; and bytes that stayed behind.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Limiter, Rate, SingleBucketFactory, tokenBucket } from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import * as contestants from "./contestants.js";
import { makeKey } from "./keys.js";
import { median } from "./statistics.js";

const KEYS = 1_000_000;
/** Long enough for a million puts, short enough to wait for. */
const WINDOW = 6000;
/** hitlimit sweeps each 10 s. */
const SWEEP = 10_000;

const [name = "sluice"] = process.argv.slice(2);
const rate = new Rate(100, WINDOW);
collect();
const before = bytes();
const { decide, held } = contestant();
for (let i = 0; i < KEYS; i++) decide(makeKey(i));
collect();
const bytesPerKey = (bytes() - before) / KEYS;
const pauses = await watchPauses(WINDOW + SWEEP + 4000);
collect();
process.stdout.write(
  JSON.stringify({
    name,
    bytesPerKey,
    longestPause: Math.max(...pauses),
    medianPause: median(pauses),
    left: bytes() - before,
    held: held(),
  }),
);
process.exit(0);

function contestant(): { decide: contestants.Contestant | ((key: string) => unknown); held: () => number } {
  if (name === "strings") {
    const strings: string[] = [];
    return { decide: (key) => strings.push(key), held: () => strings.length };
  }
  if (name === "sluice") {
    const bucket = new InMemoryBucket(rate, { algorithm: tokenBucket });
    const limiter = new Limiter(new SingleBucketFactory(bucket, { leakInterval: SWEEP }));
    return { decide: (key) => limiter.tryAcquire(key), held: () => bucket.size };
  }
  const peers = {
    hitlimit: contestants.hitlimit,
    "hono-rate-limiter": contestants.hono,
    "rate-limiter-flexible": contestants.flexible,
  };
  return { decide: peers[name as keyof typeof peers](rate), held: () => Number.NaN };
}

function collect(): void {
  for (let i = 0; i < 3; i++) global.gc?.();
}

function bytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** How late a timer of 1 ms comes, again and again, in milliseconds. */
async function watchPauses(forMs: number): Promise<number[]> {
  const late: number[] = [];
  const end = performance.now() + forMs;
  for (let last = performance.now(); last < end; ) {
    await sleep(1);
    const now = performance.now();
    late.push(now - last - 1);
    last = now;
  }
  return late;
}
