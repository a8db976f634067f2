/**
 * Several limits that a call must keep together: requests, input tokens, output tokens.
 *
 * @module
 */
import { AbstractBucket } from "../abstract-bucket.js";
import { atLeast0 } from "../check-number.js";
import { checkOptions } from "../check-options.js";
import { systemElapsed } from "../clock/system-timer.js";
import type { RateLimitExceededError } from "../errors.js";
import { checkWeight, SHARED_KEY } from "../item.js";
import { Limiter } from "../limiter/limiter.js";
import type { AbortSignalLike } from "../limiter/waiter.js";
import type { Mode } from "../mode.js";
import { describe } from "../rate.js";
import { BudgetReservation } from "./budget-reservation.js";
import { counts } from "./dimensions.js";
import { type Held, heldByRefund, hold } from "./held.js";
import { Pause } from "./pause.js";
import { type HeadersLike, type HeadersRecord, readProviderHeaders } from "./provider-headers.js";
import { naming, paused, turnTooLate } from "./refusals.js";
import { Turns } from "./turns.js";

/** A limiter of either mode, or a bucket to limit by. */
export type BudgetLimit = Limiter<"sync"> | Limiter<"async"> | AbstractBucket<Mode>;

/** Units of some or all dimensions. */
export type Units<N extends string> = { readonly [Name in N]?: number | undefined };

/** What a {@link Budget} can be told. */
export interface BudgetOptions<N extends string> {
  /** Whose budget it is: the key in every limiter, such as the name of an account. One shared key when left out. */
  readonly key?: string;
  /** The dimensions that count calls; those named `requests`, `calls`, `rpm` or the like when left out. */
  readonly requests?: readonly N[];
}

/** How long to wait. */
export interface BudgetWaitOptions {
  /** Milliseconds to wait at most; any time when left out. */
  readonly timeout?: number;
  /** Ends the wait; the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignalLike;
}

/**
 * A budget of several named limits, taken all or none.
 *
 * Each dimension is a limiter of its own, over any bucket: a fleet that shares one budget
 * has them in Redis or Postgres. Callers of one budget object are served in the order in
 * which they came. A budget of no dimensions admits everything.
 *
 * @example
 * ```ts
 * import { Budget, ManualClock, tokenBucket } from "@sluice/core";
 * import { InMemoryBucket } from "@sluice/memory";
 *
 * const options = { algorithm: tokenBucket, clock: new ManualClock() };
 * const budget = new Budget({
 *   rpm: new InMemoryBucket("500/min", options),
 *   outputTokens: new InMemoryBucket("8000/min", options),
 * });
 * await budget.acquirePreCall();
 * await budget.acquireUsage({ outputTokens: 8200 }); // what the answer really cost
 * await budget.remaining(); // => { rpm: 499, outputTokens: 0 }
 * ```
 */
export class Budget<N extends string> {
  /** The key in every limiter. */
  readonly key: string;
  /** The limiters of the dimensions that have a limit. */
  readonly #limiters: ReadonlyMap<N, Limiter<"async">>;
  /** All names, those without a limit included. */
  readonly #names: ReadonlySet<string>;
  readonly #requests: ReadonlySet<N>;
  readonly #turns = new Turns();
  readonly #pause = new Pause();
  /** What the caller whose turn it is waits for. */
  #awaited: string | undefined;

  /** @param limits A limiter, or a bucket, for each dimension; one that is `undefined` has no limit. */
  constructor(limits: { readonly [Name in N]: BudgetLimit | undefined }, options: BudgetOptions<N> = {}) {
    if (typeof limits !== "object" || limits === null) {
      const way = "name a limit for each dimension, as in new Budget({ rpm: limiter })";
      throw new TypeError(`Cannot make a budget of ${describe(limits)}: ${way}.`);
    }
    const { key = SHARED_KEY, requests } = checkOptions(
      "make a budget",
      options,
      'new Budget(limits, { key: "acme" })',
    );
    const names = Object.keys(limits) as N[];
    this.key = key;
    this.#names = new Set(names);
    const limited = names.filter((name) => limits[name] !== undefined);
    this.#limiters = new Map(limited.map((name) => [name, limiterOf(name, limits[name] as BudgetLimit)]));
    if (requests !== undefined && !Array.isArray(requests)) {
      throw new TypeError(`Cannot use ${describe(requests)} as requests: it is a list of dimensions. Pass ["rpm"].`);
    }
    this.#requests = new Set(requests ?? names.filter((name) => counts("requests", name)));
    for (const name of this.#requests) this.#checkName(name);
  }

  /** The names of the dimensions that have a limit. */
  get dimensions(): readonly N[] {
    return [...this.#limiters.keys()];
  }

  /**
   * Takes one request before a call, once no dimension is in debt from calls before.
   *
   * @throws RateLimitExceededError that names the dimension when the timeout cannot be met, and
   *   the first one that the call takes where the provider asked for a longer pause; LimiterError
   *   `TIMEOUT` when those who came before were not served in time.
   */
  async acquirePreCall(options: BudgetWaitOptions = {}): Promise<void> {
    checkOptions("take from the budget", options, "acquirePreCall({ timeout: 1000 })");
    const cost = new Map(this.dimensions.map((name) => [name, this.#requests.has(name) ? 1 : 0]));
    await this.#take(cost, options);
  }

  /** Charges what a call really cost, into debt where it was more than is left. */
  async acquireUsage(usage: Units<N>): Promise<void> {
    const cost = this.#check("charge", usage);
    await Promise.all([...cost].map(([name, units]) => this.#limiter(name).charge(this.key, units)));
  }

  /**
   * Takes a request and an estimate of the other units before a call, all or none.
   *
   * @returns A handle; its `commit(usage)` settles what the call really cost.
   * @throws RateLimitExceededError that names the dimension and the units when they cannot be had in
   *   time; otherwise as {@link acquirePreCall}.
   */
  async reserve(estimate: Units<N> = {}, options: BudgetWaitOptions = {}): Promise<BudgetReservation<N>> {
    checkOptions("reserve", options, "reserve(estimate, { timeout: 1000 })");
    const cost = new Map(this.dimensions.map((name) => [name, this.#requests.has(name) ? 1 : 0]));
    for (const [name, units] of this.#check("reserve", estimate)) cost.set(name, units);
    const held = await this.#take(new Map([...cost].filter(([, units]) => units > 0)), options);
    const hold = (name: N) => held.get(name) ?? heldByRefund(this.#limiter(name), this.key, 0);
    return new BudgetReservation(cost, hold, (usage) => this.#check("commit", usage));
  }

  /** Whole units that are left of each dimension; 0 in debt. */
  async remaining(): Promise<{ [Name in N]: number }> {
    const left = await Promise.all(
      [...this.#limiters].map(async ([name, limiter]) => [name, (await limiter.peek(this.key, 0)).remaining]),
    );
    return Object.fromEntries(left);
  }

  /**
   * Follows what a provider says in the headers of its answer.
   *
   * Where it says that less is left than is known here, the difference is charged: others
   * use the same account. It is never believed to have more, as calls that are underway
   * are not in its count. A `retry-after` pauses the whole budget.
   *
   * @param headers `Headers`, or fields by their names, as axios and `node:http` give them.
   */
  async syncFromHeaders(headers: HeadersLike | HeadersRecord): Promise<void> {
    const { remaining, retryAfter } = readProviderHeaders(headers, Date.now());
    this.#pause.extend(retryAfter);
    for (const [kind, left] of remaining) {
      const belongs = (name: N) => (kind === "requests" ? this.#requests.has(name) : counts(kind, name));
      for (const name of this.dimensions.filter(belongs)) {
        const limiter = this.#limiter(name);
        const known = (await limiter.peek(this.key, 0)).remaining;
        if (known > left) await limiter.charge(this.key, known - left);
      }
    }
  }

  /** Closes the limiters of all dimensions. */
  async close(): Promise<void> {
    await Promise.all([...this.#limiters.values()].map((limiter) => limiter.close()));
  }

  /** Closes the budget at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #take(
    cost: ReadonlyMap<N, number>,
    { timeout = Number.POSITIVE_INFINITY, signal }: BudgetWaitOptions,
  ): Promise<ReadonlyMap<N, Held>> {
    atLeast0("timeout", timeout);
    if (cost.size === 0) return new Map();
    return this.#turns.take(
      (left) => this.#takeInTime(cost, systemElapsed() + left, timeout, signal),
      timeout,
      signal,
      () => turnTooLate(this.#awaited, timeout),
    );
  }

  /** Waits for whichever dimension blocks, then tries all again, until all are taken. */
  async #takeInTime(
    cost: ReadonlyMap<N, number>,
    deadline: number,
    timeout: number,
    signal: AbortSignalLike | undefined,
  ): Promise<ReadonlyMap<N, Held>> {
    this.#awaited = "the end of the pause that the provider asked for";
    if (!(await this.#pause.sitOut(deadline, signal))) throw await this.#paused(cost, timeout);
    let held = new Map<N, Held>();
    for (;;) {
      this.#awaited = undefined;
      const blocked = await this.#tryAll(cost, held);
      if (blocked === undefined) return held;
      const limiter = this.#limiter(blocked);
      // Of a dimension that costs nothing yet, one unit must be there: it is not in debt then.
      const units = cost.get(blocked) as number;
      const left = Math.max(0, deadline - systemElapsed());
      const wait = { weight: Math.max(1, units), timeout: left, ...(signal === undefined ? {} : { signal }) };
      this.#awaited = `${wait.weight} of ${describe(blocked)}`;
      await limiter.acquire(this.key, wait).catch((error: unknown) => {
        throw naming(blocked, error, left);
      });
      if (units === 0) await limiter.refund(this.key, 1);
      held = new Map(units === 0 ? [] : [[blocked, heldByRefund(limiter, this.key, units)]]);
    }
  }

  /** Takes all but what is held already, into `held`; or gives back all, the held too, and names the dimension that blocks. */
  async #tryAll(cost: ReadonlyMap<N, number>, held: Map<N, Held>): Promise<N | undefined> {
    try {
      for (const [name, units] of cost) {
        if (held.has(name)) continue;
        const limiter = this.#limiter(name);
        const taken = units > 0 ? await hold(limiter, this.key, units) : undefined;
        if (taken !== undefined) held.set(name, taken);
        else if (units > 0 || !(await limiter.peek(this.key, 1)).allowed) {
          await giveBack(held);
          return name;
        }
      }
      return undefined;
    } catch (error) {
      await giveBack(held).catch(() => {});
      throw error;
    }
  }

  async #paused(cost: ReadonlyMap<N, number>, timeout: number): Promise<RateLimitExceededError> {
    const [limiter, weight] = [...cost].find(([, units]) => units > 0) ?? ([...cost][0] as [N, number]);
    const decision = await this.#limiter(limiter).peek(this.key, 0);
    return paused({ limiter, key: this.key, weight, decision }, this.#pause.rest, timeout);
  }

  #check(action: string, units: Units<N>): Map<N, number> {
    if (typeof units !== "object" || units === null) {
      throw new TypeError(
        `Cannot ${action} ${describe(units)}: name the units of each dimension, as in { ${this.dimensions[0] ?? "rpm"}: 1 }.`,
      );
    }
    const cost = new Map<N, number>();
    for (const [name, amount] of Object.entries(units) as [N, number | undefined][]) {
      this.#checkName(name);
      if (amount !== undefined) checkWeight(action, amount, name);
      if (amount !== undefined && this.#limiters.has(name)) cost.set(name, amount);
    }
    return cost;
  }

  #checkName(name: N): void {
    // A budget of no dimensions takes any, and limits none.
    if (this.#names.has(name) || this.#names.size === 0) return;
    const known = [...this.#names].map((dimension) => JSON.stringify(dimension)).join(", ");
    throw new RangeError(`Cannot use ${describe(name)} as a dimension: this budget has ${known}. Name one of them.`);
  }

  #limiter(name: N): Limiter<"async"> {
    return this.#limiters.get(name) as Limiter<"async">;
  }
}

async function giveBack(held: ReadonlyMap<unknown, Held>): Promise<void> {
  await Promise.all([...held.values()].map((one) => one.commit(0)));
}

function limiterOf(name: string, limit: BudgetLimit): Limiter<"async"> {
  if (limit instanceof Limiter) return limit as Limiter<"async">;
  if (limit instanceof AbstractBucket) return new Limiter(limit, { name }) as Limiter<Mode> as Limiter<"async">;
  throw new TypeError(`Cannot limit ${describe(name)} by ${describe(limit)}: pass a limiter or a bucket.`);
}
