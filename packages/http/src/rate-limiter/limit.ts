/**
 * A limiter, and what clients are told of it.
 *
 * @module
 */
import {
  type AbstractBucket,
  type AbstractClock,
  type BucketFactory,
  type Decision,
  Limiter,
  type Mode,
  Rate,
  type RatesLike,
  SingleBucketFactory,
  tokenBucket,
} from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import { type PolicyTerms, quoteName, termsOf } from "../answer/policy-terms.js";
import type { LimitOptions } from "./options.js";

/** What limits given as a rate are made with. */
export interface MemorySettings {
  /** How many clients are kept at most. */
  readonly maxTracked: number;
  /** Where the time comes from. */
  readonly clock: AbstractClock | undefined;
}

const DEFAULT_RATE = 100;

/** A limiter under the name of its policy. */
export class Limit {
  /** Where requests are put. */
  readonly limiter: Limiter<Mode>;
  readonly #name: string;
  /** Terms by the rate that bound a decision: a limiter may have several rates, and several buckets. */
  readonly #terms = new WeakMap<Rate, PolicyTerms>();
  #lastRate: Rate | undefined;
  #lastTerms: PolicyTerms | undefined;

  constructor(name: string, options: LimitOptions<Mode>, settings: MemorySettings) {
    quoteName(name);
    this.#name = name;
    this.limiter = limiterOf(name, options, settings);
  }

  /** The terms under which a decision was made. */
  termsOf({ rate }: Decision): PolicyTerms {
    if (rate === this.#lastRate && this.#lastTerms !== undefined) return this.#lastTerms;
    const terms = this.#terms.get(rate) ?? this.#write(rate);
    this.#terms.set(rate, terms);
    this.#lastRate = rate;
    this.#lastTerms = terms;
    return terms;
  }

  #write(rate: Rate): PolicyTerms {
    const bucket = this.limiter.buckets().find(({ rates }) => rates.includes(rate));
    // A decision may come from a bucket that stands in for another, which nobody can ask.
    const quota = bucket?.kernel.capacity(bucket.rates.indexOf(rate)) ?? rate.limit;
    const isOneOfSeveral = bucket !== undefined && bucket.rates.length > 1;
    return termsOf(this.#name, quota, (rate.interval * quota) / rate.limit, isOneOfSeveral);
  }
}

function limiterOf(name: string, options: LimitOptions<Mode>, { maxTracked, clock }: MemorySettings): Limiter<Mode> {
  const { rate, burst, limiter } = options;
  if (limiter === undefined) {
    const common = { algorithm: tokenBucket, maxKeys: maxTracked };
    const bucket = new InMemoryBucket(ratesOf(rate, burst), clock === undefined ? common : { ...common, clock });
    return new Limiter(new SingleBucketFactory(bucket, clock && { leakClock: clock }), { name });
  }
  if (rate !== undefined || burst !== undefined) {
    throw new TypeError(
      `Cannot limit "${name}" by a limiter and a rate: the limiter has its own. Leave out rate and burst, or the limiter.`,
    );
  }
  return limiter instanceof Limiter
    ? limiter
    : new Limiter<Mode>(limiter as AbstractBucket<Mode> | BucketFactory<Mode>, { name });
}

function ratesOf(rate: number | RatesLike = DEFAULT_RATE, burst?: number): RatesLike {
  if (typeof rate === "number") return perSecond(rate, burst);
  if (burst === undefined) return rate;
  throw new TypeError(
    `Cannot limit by ${JSON.stringify(rate)} with burst ${burst}: burst goes with a number of requests a second. Write it into the rate, as in "100/min burst 20".`,
  );
}

/** Requests a second, which may be a fraction, as a rate of whole units. */
function perSecond(rate: number, burst = Math.max(1, Math.ceil(2 * rate))): Rate {
  if (!(rate > 0 && rate < Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(
      `Cannot limit to ${rate} requests a second: rate is a number above 0. For another interval, pass a text such as "100/min".`,
    );
  }
  const factor = [1, 10, 100, 1000].find((times) => Number.isInteger(rate * times));
  return factor === undefined ? new Rate(1, 1000 / rate, burst) : new Rate(rate * factor, 1000 * factor, burst);
}

/** The buckets in the memory of this process. */
export function memoryBuckets(limiters: Iterable<Limiter<Mode>>): InMemoryBucket[] {
  const buckets = new Set<AbstractBucket<Mode>>();
  for (const limiter of limiters) for (const bucket of limiter.buckets()) buckets.add(bucket);
  return [...buckets].filter((bucket) => bucket instanceof InMemoryBucket);
}
