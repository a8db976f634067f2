/**
 * What a slot takes that is free, taken and given back: `http-queue.js CASE ROUNDS SLOTS`, with the case `at-once` or `awaited`.
 *
 * Prints nanoseconds as JSON.
 */
import { QueueFullError, RequestQueue } from "@sluice/http";
import { answer } from "./answer.js";
import { expectSame } from "./check.js";
import { takeRounds } from "./http-turns.js";
import { summarise } from "./statistics.js";
import { nsEach } from "./turns.js";

/** Counts who is at work, by hand. */
class Counter {
  active = 0;

  constructor(readonly most: number) {}

  tryAcquire(): boolean {
    if (this.active >= this.most) return false;
    this.active++;
    return true;
  }

  acquire(): Promise<boolean> {
    return Promise.resolve(this.tryAcquire());
  }

  release(): void {
    this.active--;
  }
}

const SLOTS = 64;

const [name = "at-once", rounds = "21", calls = "10000"] = process.argv.slice(2);
const total = Number(calls);
const counter = new Counter(SLOTS);
const queue = new RequestQueue({ maxConcurrent: SLOTS });

await checkRefusal();
const contestants =
  name === "at-once"
    ? { "by hand": byHand, "sluice, tryAcquire": atOnce }
    : { "by hand": byHandAwaited, "sluice, acquire": awaited };
const measured = await takeRounds(contestants, Number(rounds));
expectSame("Slots that are still taken", [counter.active, queue.active], [0, 0]);
answer(`${rounds} rounds of ${calls} slots, ${SLOTS} at a time.`, summarise(measured));

function byHand(): number {
  const start = process.hrtime.bigint();
  for (let i = 0; i < total; i++) if (counter.tryAcquire()) counter.release();
  return nsEach(start, total);
}

async function byHandAwaited(): Promise<number> {
  const start = process.hrtime.bigint();
  for (let i = 0; i < total; i++) if (await counter.acquire()) counter.release();
  return nsEach(start, total);
}

function atOnce(): number {
  const { admitted } = queue.metrics;
  const start = process.hrtime.bigint();
  for (let i = 0; i < total; i++) queue.tryAcquire()?.release();
  const ns = nsEach(start, total);
  expectSame("Slots taken", queue.metrics.admitted - admitted, total);
  return ns;
}

async function awaited(): Promise<number> {
  const { admitted } = queue.metrics;
  const start = process.hrtime.bigint();
  for (let i = 0; i < total; i++) (await queue.acquire()).release();
  const ns = nsEach(start, total);
  expectSame("Slots taken", queue.metrics.admitted - admitted, total);
  return ns;
}

async function checkRefusal(): Promise<void> {
  const full = new RequestQueue({ maxConcurrent: 1, maxDepth: 1, maxWait: 0 });
  using _ = await full.acquire();
  const refusal = await full.acquire().catch((error: unknown) => error);
  expectSame(
    "The slot that is not there",
    [full.tryAcquire() === undefined, refusal instanceof QueueFullError],
    [true, true],
  );
}
