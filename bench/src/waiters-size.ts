/**
 * What a queued waiter takes: `waiters-size.js CONTESTANT`, with --expose-gc.
 *
 * 100,000 wait for units of which one comes in ten seconds. Prints the bytes of each as JSON, its promise included.
 */
import { answer } from "./answer.js";
import { expectSame } from "./check.js";
import { summarise } from "./statistics.js";
import { CONTESTANTS } from "./waiter-contestants.js";

const WAITERS = 100_000;

const [name = "sluice"] = process.argv.slice(2);
const make = CONTESTANTS[name];
if (make === undefined) throw new Error(`There is no ${name}.`);
// Not longer, lest 100,000 intervals overflow the timers of some.
const wait = make(1, 10_000);
await wait();
const promises = new Array<Promise<unknown>>(WAITERS);
collect();
const before = process.memoryUsage().heapUsed;
for (let i = 0; i < WAITERS; i++) promises[i] = wait();
// What is put off to a later turn is there, too.
await new Promise((resolve) => setTimeout(resolve, 50));
collect();
const bytes = (process.memoryUsage().heapUsed - before) / WAITERS;
await checkWaiting();
answer("One run each; one unit in 10 s, and nobody passes meanwhile.", summarise([new Map([[name, { bytes }]])]));

/** Those who were counted are still there. */
async function checkWaiting(): Promise<void> {
  let passed = 0;
  for (const promise of promises) void promise.then(() => passed++);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expectSame(`Callers whom ${name} let pass`, passed, 0);
}

function collect(): void {
  for (let i = 0; i < 3; i++) global.gc?.();
}
