import {
  AbstractBucket,
  type BudgetLimit,
  type BudgetOptions,
  Budget as CoreBudget,
  Limiter,
  type RatesLike,
  tokenBucket,
} from "@sluice/core";
import { InMemoryBucket, type InMemoryBucketOptions } from "@sluice/memory";

/** What limits one dimension: rates for a token bucket in this process, or a bucket or limiter of any kind. */
export type BudgetLimitLike = RatesLike | BudgetLimit;

/** What a {@link Budget} can be told: its own options, and those of the buckets that it makes from rates. */
export interface BudgetInMemoryOptions<N extends string> extends BudgetOptions<N>, InMemoryBucketOptions {}

/**
 * A budget of several named limits, taken all or none: as the class of the same name in
 * `@sluice/core`, and rates will do for limits.
 *
 * @example
 * ```ts
 * import { Budget } from "sluice";
 *
 * await using budget = new Budget({ rpm: "500/min", inputTokens: "30000/min", outputTokens: "8000/min" });
 *
 * // Before the call, by an estimate; afterwards what it really cost.
 * const reservation = await budget.reserve({ inputTokens: 1200, outputTokens: 800 }, { timeout: 10_000 });
 * await reservation.commit({ inputTokens: 1187, outputTokens: 342 });
 * (await budget.remaining()).rpm; // => 499
 * ```
 */
export class Budget<N extends string> extends CoreBudget<N> {
  /** @param limits Rates, a bucket or a limiter for each dimension; one that is `undefined` has no limit. */
  constructor(
    limits: { readonly [Name in N]: BudgetLimitLike | undefined },
    options: BudgetInMemoryOptions<NoInfer<N>> = {},
  ) {
    super(mapLimits(limits, options), options);
  }
}

/** Makes buckets of rates; what is wrong from the outset is left for the class in core to say so. */
function mapLimits<N extends string>(
  limits: { readonly [Name in N]: BudgetLimitLike | undefined },
  options: InMemoryBucketOptions,
): { readonly [Name in N]: BudgetLimit | undefined } {
  if (typeof limits !== "object" || limits === null) return limits;
  const made = Object.entries(limits).map(([name, limit]) => [name, toLimit(limit as BudgetLimitLike, options)]);
  return Object.fromEntries(made);
}

function toLimit(limit: BudgetLimitLike | undefined, options: InMemoryBucketOptions): BudgetLimit | undefined {
  if (limit === undefined || limit instanceof Limiter || limit instanceof AbstractBucket) return limit;
  return new InMemoryBucket(limit as RatesLike, { algorithm: tokenBucket, ...options });
}
