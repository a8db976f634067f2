/**
 * What a million keys take, and how they are given back: `memory-size.js CONTESTANT`, with --expose-gc.
 *
 * Prints JSON: bytes a key in all, strings included; the longest time that the event loop
 * stood still while they expired; and bytes that stayed behind.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Limiter, Rate, SingleBucketFactory, tokenBucket } from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import { answer } from "./answer.js";
import { expectSame } from "./check.js";
import * as contestants from "./contestants.js";
import { makeKey } from "./keys.js";
import { summarise } from "./statistics.js";

const KEYS = 1_000_000;
/** Long enough for a million puts, short enough to wait for. */
const WINDOW = 6000;
/** hitlimit sweeps each 10 s. */
const SWEEP = 10_000;

/** The last ones, asked again when all are in: they have not expired. */
const ASKED_AGAIN = 1000;
const STRINGS = "the strings alone";

/** Puts a key, and says how many are held, where that can be told. */
interface Contestant {
  readonly decide: (key: string) => boolean | Promise<boolean>;
  readonly held?: () => number;
}

const [name = "sluice"] = process.argv.slice(2);
const rate = new Rate(1, WINDOW);
collect();
const before = bytes();
const { decide, held } = contestant();
let admitted = 0;
for (let i = 0; i < KEYS; i++) if (await decide(makeKey(i))) admitted++;
collect();
const each = (bytes() - before) / KEYS;
await checkHeld();
const pauses = await watchPauses(WINDOW + SWEEP + 4000);
collect();
const left = bytes() - before;
if (name !== STRINGS && held !== undefined) expectSame(`Keys that ${name} still holds`, held(), 0);
const row = { bytes: each, ...(name === STRINGS ? {} : { pause: Math.max(...pauses), left }) };
answer(`One run each; one unit a key in ${WINDOW / 1000} s, put once.`, summarise([new Map([[name, row]])]));

function contestant(): Contestant {
  if (name === STRINGS) {
    const strings: string[] = [];
    return { decide: (key) => strings.push(key) > 0, held: () => strings.length };
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
  return { decide: peers[name as keyof typeof peers](rate) };
}

/** All came in, and who is there has used up its unit. */
async function checkHeld(): Promise<void> {
  expectSame(`Keys that ${name} admitted`, admitted, KEYS);
  if (held !== undefined) expectSame(`Keys that ${name} holds`, held(), KEYS);
  if (name === STRINGS) return;
  let again = 0;
  for (let i = KEYS - ASKED_AGAIN; i < KEYS; i++) if (await decide(makeKey(i))) again++;
  expectSame(`Keys that ${name} admitted twice`, again, 0);
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
