/**
 * An independent model of the algorithms: slow, exact, and written from the definitions.
 *
 * It shares no code with the kernels. Times and units are BigInt; waits and what is left
 * are not computed but searched for, with nothing but "would it fit then?" asked.
 *
 * @module
 */
import { FixedWindowModel } from "./fixed-window-model.js";
import { LogModel } from "./log-model.js";
import { SlidingWindowCounterModel } from "./sliding-window-counter-model.js";
import { TokenBucketModel } from "./token-bucket-model.js";

/** One rate of a model: units, and microseconds. */
export interface ModelRate {
  /** Units per interval. */
  readonly limit: bigint;
  /** Microseconds. */
  readonly interval: bigint;
  /** Units at one instant, for a token bucket. */
  readonly burst: bigint;
}

/** One algorithm under one rate, asked and changed at instants in microseconds. */
export interface RateModel {
  /** The most units at one instant. */
  readonly capacity: bigint;
  /** Whether `weight` more units would fit at `at`, if nothing else came before. */
  fits(at: bigint, weight: bigint): boolean;
  /** Whether the state decides at `at`, and after it, as if the key had never been seen. */
  isNew(at: bigint): boolean;
  /** Takes units at `at`. */
  take(at: bigint, weight: bigint): void;
  /** Gives units back at `at`, the newest first. */
  give(at: bigint, weight: bigint): void;
}

/** What a model answers; times in microseconds, `undefined` for never. */
export interface ModelDecision {
  /** Whether the item is admitted. */
  readonly allowed: boolean;
  /** Whole units that would still be admitted. */
  readonly remaining: bigint;
  /** Time until the item would be admitted; `undefined` for never. */
  readonly retryAfter: bigint | undefined;
  /** Time until the key is as good as new. */
  readonly resetAfter: bigint;
  /** Index of the binding rate. */
  readonly rate: number;
}

const MODELS: Readonly<Record<string, (rate: ModelRate, longest: bigint) => RateModel>> = {
  "sliding-window-log": (rate, longest) => new LogModel(rate, longest),
  "token-bucket": (rate) => new TokenBucketModel(rate),
  "leaky-bucket": (rate) => new TokenBucketModel(rate),
  "fixed-window": (rate) => new FixedWindowModel(rate),
  "sliding-window-counter": (rate) => new SlidingWindowCounterModel(rate),
};

/** One key under one algorithm and several rates. */
export class Model {
  readonly #rates: readonly RateModel[];

  /** @param algorithm The algorithm's name. */
  constructor(algorithm: string, rates: readonly ModelRate[]) {
    const create = MODELS[algorithm];
    if (create === undefined) throw new RangeError(`There is no model of "${algorithm}". Leave it out of "supports".`);
    const longest = rates.at(-1)?.interval ?? 0n;
    this.#rates = rates.map((rate) => create(rate, longest));
  }

  /** Answers and takes; a refusal takes nothing. */
  put(at: bigint, weight: bigint): ModelDecision {
    const decision = this.peek(at, weight);
    if (decision.allowed && weight > 0n) for (const rate of this.#rates) rate.take(at, weight);
    return decision;
  }

  /** Answers as {@link put} would. */
  peek(at: bigint, weight: bigint): ModelDecision {
    const waits = this.#rates.map((rate) => (weight === 0n ? 0n : waitOf(rate, at, weight)));
    const left = this.#rates.map((rate) => unitsLeft(rate, at));
    const fewest = left.reduce((a, b) => (b < a ? b : a));
    const longest = waits.reduce(longer);
    const allowed = longest === 0n;
    const taken = allowed ? weight : 0n;
    return {
      allowed,
      remaining: nonNegative(fewest - taken),
      retryAfter: longest,
      resetAfter: this.#resetAfter(at, taken),
      rate: allowed ? left.indexOf(fewest) : waits.indexOf(longest),
    };
  }

  /** Takes without asking. */
  charge(at: bigint, weight: bigint): ModelDecision {
    if (weight > 0n) for (const rate of this.#rates) rate.take(at, weight);
    return this.peek(at, 0n);
  }

  /** Gives back, unless the key is as good as new. */
  refund(at: bigint, weight: bigint): ModelDecision {
    if (weight > 0n && this.#rates.some((rate) => !rate.isNew(at)))
      for (const rate of this.#rates) rate.give(at, weight);
    return this.peek(at, 0n);
  }

  /** Whether the key is as good as new under every rate. */
  isNew(at: bigint): boolean {
    return this.#rates.every((rate) => rate.isNew(at));
  }

  #resetAfter(at: bigint, taken: bigint): bigint {
    if (taken === 0n) return firstWhere((wait) => this.isNew(at + wait));
    const after = this.#rates.map((rate) => copyOf(rate));
    for (const rate of after) rate.take(at, taken);
    return firstWhere((wait) => after.every((rate) => rate.isNew(at + wait)));
  }
}

function waitOf(rate: RateModel, at: bigint, weight: bigint): bigint | undefined {
  return weight > rate.capacity ? undefined : firstWhere((wait) => rate.fits(at + wait, weight));
}

/** The most units that would fit; below 0 by as many as must come back before any fits. */
function unitsLeft(rate: RateModel, at: bigint): bigint {
  if (rate.fits(at, 0n)) return firstWhere((units) => !rate.fits(at, units + 1n));
  return -firstWhere((units) => rate.fits(at, -units));
}

function longer(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  return a === undefined || b === undefined ? undefined : b > a ? b : a;
}

function nonNegative(value: bigint): bigint {
  return value < 0n ? 0n : value;
}

/** The first number from 0 on that meets a condition which, once met, stays met. */
function firstWhere(meets: (value: bigint) => boolean): bigint {
  if (meets(0n)) return 0n;
  let low = 0n;
  let high = 1n;
  while (!meets(high)) {
    low = high;
    high *= 2n;
  }
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (meets(middle)) high = middle;
    else low = middle;
  }
  return high;
}

function copyOf(rate: RateModel): RateModel {
  return Object.assign(Object.create(Object.getPrototypeOf(rate)), structuredClone({ ...rate }));
}
