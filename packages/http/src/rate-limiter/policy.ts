/**
 * A policy: what a request costs, and whose quota it is counted against.
 *
 * @module
 */
import { describe, type Limiter, type Mode } from "@sluice/core";
import type { KeyFunction } from "../address/keys.js";
import { checkNames } from "../check-names.js";
import { KNOWN_LIMIT } from "./known-options.js";
import { Limit, type MemorySettings } from "./limit.js";
import type { LimitOptions, PolicyOptions } from "./options.js";

/** A policy, compiled. */
export class Policy<R> {
  readonly name: string;
  readonly shadow: boolean;
  readonly key: KeyFunction<R>;
  readonly #cost: ((request: R) => number) | undefined;
  readonly #fixedCost: number;
  readonly #skip: ((request: R) => boolean) | undefined;
  readonly #limit: Limit | undefined;
  readonly #plan: ((request: R) => string | undefined) | undefined;
  readonly #plans: ReadonlyMap<string, Limit>;

  constructor(options: PolicyOptions<Mode, R> & { readonly key: KeyFunction<R> }, settings: MemorySettings) {
    const { name, key, cost = 1, skip, shadow = false, plan, plans } = options;
    this.name = name;
    this.shadow = checkSwitch(name, "shadow", shadow);
    this.key = checkFunction(name, "key", key);
    this.#cost = typeof cost === "function" ? cost : undefined;
    this.#fixedCost = typeof cost === "function" ? 0 : checkCost(name, cost);
    this.#skip = skip === undefined ? undefined : checkFunction(name, "skip", skip);
    this.#plan = plan === undefined ? undefined : checkFunction(name, "plan", plan);
    if ((plan === undefined) !== (plans === undefined)) {
      throw new TypeError(
        `Cannot limit "${name}" by plan: plan says which one a request has, and plans what each may do. Pass both, or neither.`,
      );
    }
    this.#plans = new Map(Object.entries(plans ?? {}).map(([of, limit]) => [of, planned(name, of, limit, settings)]));
    const hasOwn = options.rate !== undefined || options.burst !== undefined || options.limiter !== undefined;
    this.#limit = plans === undefined || hasOwn ? new Limit(name, options, settings) : undefined;
  }

  /** Whether a request is left out. */
  skips(request: R): boolean {
    return this.#skip?.(request) === true;
  }

  /** Units that a request costs. */
  costOf(request: R): number {
    return this.#cost === undefined ? this.#fixedCost : this.#cost(request);
  }

  /** The limit that a request falls under. */
  limitOf(request: R): Limit {
    const plan = this.#plan?.(request);
    const limit = plan === undefined ? this.#limit : this.#plans.get(plan);
    if (limit !== undefined) return limit;
    const known = [...this.#plans.keys()].map((name) => JSON.stringify(name)).join(", ");
    throw new RangeError(
      `Cannot limit "${this.name}" by the plan ${JSON.stringify(plan)}: the plans are ${known}. Add it, or give a rate for those without a plan.`,
    );
  }

  /** All limiters of the policy. */
  limiters(): Limiter<Mode>[] {
    const own = this.#limit === undefined ? [] : [this.#limit];
    return [...own, ...this.#plans.values()].map(({ limiter }) => limiter);
  }
}

function checkFunction<F>(policy: string, option: string, value: F): F {
  if (typeof value === "function") return value;
  throw new TypeError(
    `Cannot use ${JSON.stringify(value)} as ${option} of "${policy}": it is a function of the request. Leave it out, or pass one.`,
  );
}

function planned(policy: string, plan: string, limit: LimitOptions<Mode>, settings: MemorySettings): Limit {
  checkNames(limit, { ...KNOWN_LIMIT, what: `the plan ${JSON.stringify(plan)}` });
  return new Limit(policy, limit, settings);
}

function checkSwitch(policy: string, option: string, value: boolean): boolean {
  if (typeof value === "boolean") return value;
  throw new TypeError(
    `Cannot use ${describe(value)} as ${option} of ${JSON.stringify(policy)}: it is true or false. Pass one of them.`,
  );
}

function checkCost(policy: string, cost: number): number {
  if (Number.isSafeInteger(cost) && cost >= 0) return cost;
  const message = `Cannot charge ${JSON.stringify(cost)} a request in "${policy}": cost is a whole number, 0 or more. For fractions, scale the rate by the same factor.`;
  throw typeof cost === "number" ? new RangeError(message.replace("null", String(cost))) : new TypeError(message);
}
