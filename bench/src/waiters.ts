/**
 * What waiting takes: `waiters.js CASE ROUNDS`.
 *
 * `pass`: 10,000 callers at once, all of whom fit; `release`: 10,000 who wait, all let
 * through by one instant of a clock set by hand. Prints nanoseconds a waiter as JSON; the
 * contestants take turns.
 */
import { ManualClock } from "@sluice/core";
import { answer } from "./answer.js";
import { expectSame } from "./check.js";
import { summarise } from "./statistics.js";
import { nsEach, type Slice, takeTurns } from "./turns.js";
import { byHand, CONTESTANTS, sluice, type Waiting } from "./waiter-contestants.js";

const WAITERS = 10_000;
/** Units for a round, and never so many that one is refused. */
const ENOUGH = 2 * WAITERS;
const INTERVAL = 3_600_000;
const WARM_UP = 20;
/** Takes milliseconds a task: its rounds are fewer. */
const SLOW = "bottleneck";

const [name = "pass", rounds = "15"] = process.argv.slice(2);
const slowRounds = Math.ceil(Number(rounds) / 20);

const CASES: Record<string, Record<string, () => Promise<number>>> = {
  pass: Object.fromEntries(Object.entries(CONTESTANTS).map(([contestant, make]) => [contestant, pass(make)])),
  release: { "by hand": release(byHand), sluice: release(sluice) },
};

const chosen = CASES[name];
if (chosen === undefined) throw new Error(`There is no case ${name}: name one of ${Object.keys(CASES).join(", ")}.`);
if (name === "release") for (const make of [byHand, sluice]) await checkWaiting(make);
const slices = Object.entries(chosen).map(([contestant, run]): [string, Slice<number | undefined>] => [
  contestant,
  (turn) => (contestant !== SLOW || (turn >= 0 && turn < slowRounds) ? run() : undefined),
]);
const measured = await takeTurns(Object.fromEntries(slices), Number(rounds), WARM_UP);
const fewer = name === "pass" ? `, ${SLOW} ${slowRounds}` : "";
answer(`${rounds} rounds${fewer}; each makes its limiter anew.`, summarise(measured));

function pass(make: (limit: number, interval: number) => Waiting): () => Promise<number> {
  return async () => nsOfAll(make(ENOUGH, INTERVAL), () => {});
}

function release(make: (limit: number, interval: number, clock: ManualClock) => Waiting): () => Promise<number> {
  return async () => {
    const clock = new ManualClock();
    const wait = make(WAITERS, 1000, clock);
    for (let i = 0; i < WAITERS; i++) await wait();
    return nsOfAll(wait, () => clock.advance(1000));
  };
}

/** Of three callers where two may pass in a second, the third waits for the second. */
async function checkWaiting(make: (limit: number, interval: number, clock: ManualClock) => Waiting): Promise<void> {
  const clock = new ManualClock();
  const wait = make(2, 1000, clock);
  const passed: number[] = [];
  const all = [1, 2, 3].map((caller) => wait().then(() => passed.push(caller)));
  await new Promise(setImmediate);
  expectSame("Callers who passed at once", passed, [1, 2]);
  clock.advance(1000);
  await Promise.all(all);
}

/** Nanoseconds of each of all who wait at once, and are let through by `open`. */
async function nsOfAll(wait: Waiting, open: () => void): Promise<number> {
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
  const ns = nsEach(start, WAITERS);
  expectSame("Callers who passed", passed, WAITERS);
  return ns;
}
