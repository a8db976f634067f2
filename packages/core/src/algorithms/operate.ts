/**
 * From a kernel to a decision: the one place that says what put, peek, charge and refund are.
 *
 * @module
 */
import type { Decision } from "../decision.js";
import { toMilliseconds } from "../duration.js";
import type { Rate } from "../rate.js";
import type { Kernel, State } from "./kernel.js";

/** What is done to a cell: ask and take, ask only, take without asking, give back. */
export type Operation = "put" | "peek" | "charge" | "refund";

/**
 * Carries out one operation on a state, which becomes the next state; a refusal leaves it as it is.
 *
 * @param now Whole microseconds on the clock of the bucket.
 */
export function operate(kernel: Kernel, operation: Operation, state: State, now: number, weight: number): Decision {
  if (operation === "charge" || operation === "refund") {
    if (weight > 0) kernel[operation === "charge" ? "take" : "give"](state, now, weight);
    return decide(kernel, state, now, 0);
  }
  const decision = decide(kernel, state, now, weight);
  if (operation === "put" && decision.allowed && weight > 0) kernel.take(state, now, weight);
  return decision;
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

/** The most units that all rates together admit at one instant. */
export function smallestCapacity(kernel: Kernel): number {
  return Math.min(...kernel.rates.map((_, rate) => kernel.capacity(rate)));
}

/** A state of its own with the same contents, for asking "what if". */
export function copyState(kernel: Kernel, state: State): State {
  const copy = kernel.fresh();
  if ("numbers" in state && "numbers" in copy) {
    copy.numbers.set(state.numbers.subarray(state.offset, state.offset + kernel.width));
  } else if (!("numbers" in state) && !("numbers" in copy)) {
    for (let i = 0; i < state.size; i++) copy.append(state.time(i), state.total(i) - state.total(i - 1));
  }
  return copy;
}
