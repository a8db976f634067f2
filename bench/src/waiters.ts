/**
 * What waiting takes: `waiters.js CASE ROUNDS`.
 *
 * `pass`: 10,000 callers at once, all of whom fit; `release`: 10,000 who wait, all let
 * through by one instant of a clock set by hand. Prints nanoseconds a waiter as JSON; the
 * contestants take turns.
 */
import { ManualClock } from "@sluice/core";
import { summarise } from "./statistics.js";
import { byHand, CONTESTANTS, sluice, type Waiting } from "./waiter-contestants.js";

const WAITERS = 10_000;
/** Units for a round, and never so many that one is refused. */
const ENOUGH = 2 * WAITERS;
const INTERVAL = 3_600_000;
const WARM_UP = 20;
/** Takes milliseconds a task: its rounds are fewer. */
const SLOW = "bottleneck";

const [name = "pass", rounds = "15"] = process.argv.slice(2);

const CASES: Record<string, Record<string, () => Promise<number>>> = {
  pass: Object.fromEntries(Object.entries(CONTESTANTS).map(([contestant, make]) => [contestant, pass(make)])),
  release: { "by hand": release(byHand), sluice: release(sluice) },
};

const line = Object.entries(CASES[name] ?? {});
if (line.length === 0) throw new Error(`There is no case ${name}: name one of ${Object.keys(CASES).join(", ")}.`);
const measured: Map<string, number>[] = [];
const slow: number[] = [];
for (let round = 0; round < Number(rounds) + WARM_UP; round++) {
  const times = new Map<string, number>();
  for (const [contestant, run] of line) {
    const again = contestant !== SLOW || slow.length < 2;
    const ns = again ? await run() : (slow[slow.length - 1] as number);
    if (contestant === SLOW && again) slow.push(ns);
    times.set(contestant, ns);
  }
  if (round >= WARM_UP) measured.push(times);
}
process.stdout.write(JSON.stringify(summarise(measured)));
process.exit(0);

function pass(make: (limit: number, interval: number) => Waiting): () => Promise<number> {
  return async () => nsEach(make(ENOUGH, INTERVAL), () => {});
}

function release(make: (limit: number, interval: number, clock: ManualClock) => Waiting): () => Promise<number> {
  return async () => {
    const clock = new ManualClock();
    const wait = make(WAITERS, 1000, clock);
    for (let i = 0; i < WAITERS; i++) await wait();
    return nsEach(wait, () => clock.advance(1000));
  };
}

/** Nanoseconds of each of all who wait at once, and are let through by `open`. */
async function nsEach(wait: Waiting, open: () => void): Promise<number> {
  let passed = 0;
  const done = () => {
    passed++;
  };
  const start = process.hrtime.bigint();
  const all = new Array<Promise<unknown>>(WAITERS);
  for (let i = 0; i < WAITERS; i++) all[i] = wait().then(done);
  open();
  await all[WAITERS - 1];
  if (passed < WAITERS) await Promise.all(all);
  const ns = Number(process.hrtime.bigint() - start);
  if (passed !== WAITERS) throw new Error(`${passed} of ${WAITERS} passed.`);
  return ns / WAITERS;
}
