/**
 * From a kernel to a decision: the one place that says what put, peek, charge and refund are.
 *
 * @module
 */
import type { Decision } from "../decision.js";
import { toMicroseconds, toMilliseconds } from "../duration.js";
import type { Rate } from "../rate.js";
import type { Kernel, State } from "./kernel.js";

/** What is done to a cell: ask and take, ask only, take without asking, give back. */
export type Operation = "put" | "peek" | "charge" | "refund";

/**
 * Carries out one operation on a state, which becomes the next state.
 *
 * A refusal, a weight of 0 and a refund to a key that is as good as new change nothing.
 *
 * @param now Whole microseconds on the clock of the bucket.
 * @param writable The state to write into, where that is another: for a store that makes
 *   room for a new key only when it must. Called at most once.
 */
export function operate(
  kernel: Kernel,
  operation: Operation,
  state: State,
  now: number,
  weight: number,
  writable: () => State = () => state,
): Decision {
  if (operation === "put" || operation === "peek") {
    const decision = decide(kernel, state, now, weight);
    if (operation === "put" && decision.allowed && weight > 0) kernel.take(writable(), now, weight);
    return decision;
  }
  if (weight === 0 || (operation === "refund" && kernel.reset(state, now, 0) === 0))
    return decide(kernel, state, now, 0);
  const next = writable();
  if (operation === "charge") kernel.take(next, now, weight);
  else kernel.give(next, now, weight);
  return decide(kernel, next, now, 0);
}

/** A booking of units, or the refusal of one. Times are microseconds. */
export interface Booked {
  /** As {@link decide} gives it once the units are booked; its `retryAfter` is how long until they may be used. */
  readonly decision: Decision;
  /** When they may be used, on the clock of the bucket; where they were refused, when to ask again. */
  readonly at: number;
  /** Its number among those of the key, see {@link Kernel.book}; 0 where nothing was booked. */
  readonly number: number;
}

/**
 * Books the earliest admission of `weight` units, if that is no more than `maxWait` away.
 *
 * @param now Whole microseconds on the clock of the bucket.
 * @param writable As for {@link operate}.
 */
export function reserve(
  kernel: Kernel,
  state: State,
  now: number,
  weight: number,
  maxWait: number,
  writable: () => State = () => state,
): Booked {
  const wait = weight === 0 ? 0 : Math.max(kernel.ahead(state, now), longestWait(kernel, state, now, weight));
  if (wait > maxWait || wait === Number.POSITIVE_INFINITY) {
    let decision = decide(kernel, state, now, weight);
    // It would fit by itself, but not after what is booked.
    if (decision.allowed) {
      decision = { ...decide(kernel, state, now, 0), allowed: false, retryAfter: toMilliseconds(wait) };
    }
    return { decision, at: now + toMicroseconds(decision.retryAfter), number: 0 };
  }
  if (weight === 0) return { decision: decide(kernel, state, now, 0), at: now, number: 0 };
  const next = writable();
  const number = kernel.book(next, now, weight, now + wait);
  return { decision: { ...decide(kernel, next, now, 0), retryAfter: toMilliseconds(wait) }, at: now + wait, number };
}

/**
 * Takes a booking for `at` back, or a part of it.
 *
 * @param number The booking's number, see {@link Kernel.unbook}.
 */
export function cancel(
  kernel: Kernel,
  state: State,
  now: number,
  weight: number,
  at: number,
  number: number,
  writable: () => State = () => state,
): Decision {
  if (weight === 0 || kernel.reset(state, now, 0) === 0) return decide(kernel, state, now, 0);
  const next = writable();
  kernel.unbook(next, now, weight, at, number);
  return decide(kernel, next, now, 0);
}

/** Decides on all rates, changing nothing. */
export function decide(kernel: Kernel, state: State, now: number, weight: number): Decision {
  const { rates } = kernel;
  let longest = 0;
  let fewest = Number.POSITIVE_INFINITY;
  let slowest = 0;
  let tightest = 0;
  for (let rate = 0; rate < rates.length; rate++) {
    const wait = waitOf(kernel, state, now, weight, rate);
    const left = kernel.left(state, now, rate);
    if (wait > longest) {
      longest = wait;
      slowest = rate;
    }
    if (left < fewest) {
      fewest = left;
      tightest = rate;
    }
  }
  const taken = longest === 0 ? weight : 0;
  return {
    allowed: longest === 0,
    remaining: Math.max(0, fewest - taken),
    retryAfter: toMilliseconds(longest),
    resetAfter: toMilliseconds(kernel.reset(state, now, taken)),
    rate: rates[longest === 0 ? tightest : slowest] as Rate,
    degraded: false,
  };
}

/** Microseconds until every rate admits `weight` units. */
export function longestWait(kernel: Kernel, state: State, now: number, weight: number): number {
  let longest = 0;
  for (let rate = 0; rate < kernel.rates.length; rate++) {
    longest = Math.max(longest, waitOf(kernel, state, now, weight, rate));
  }
  return longest;
}

function waitOf(kernel: Kernel, state: State, now: number, weight: number, rate: number): number {
  return weight === 0 || kernel.fits(state, now, weight, rate) ? 0 : kernel.wait(state, now, weight, rate);
}

/** Units that count at `now`: the most that any rate has in use, fractions counted up. */
export function unitsInUse(kernel: Kernel, state: State, now: number): number {
  let most = 0;
  for (let rate = 0; rate < kernel.rates.length; rate++) {
    most = Math.max(most, kernel.capacity(rate) - kernel.left(state, now, rate));
  }
  return most;
}
