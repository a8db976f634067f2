/**
 * What becomes of the units in use when rates are replaced.
 *
 * @module
 */
import type { Kernel } from "../algorithms/kernel.js";
import { describe, type Rate } from "../rate.js";

/**
 * `"reset"`: every key starts anew. `"keep"`: what was used stays used. `"proportional"`: what
 * was used stays used in proportion to the capacity, rounded up.
 */
export type ReplaceStrategy = "reset" | "keep" | "proportional";

/** A strategy by which anything is carried over. */
export type CarryStrategy = Exclude<ReplaceStrategy, "reset">;

const STRATEGIES: readonly unknown[] = ["reset", "keep", "proportional"] satisfies ReplaceStrategy[];

/** Checks what a caller names. */
export function checkStrategy(strategy: ReplaceStrategy): ReplaceStrategy {
  if (STRATEGIES.includes(strategy)) return strategy;
  throw new TypeError(
    `Cannot replace rates by the strategy ${describe(strategy)}: it is "reset", "keep" or "proportional".`,
  );
}

/** Whether two lists are of the same rates: they share cells in a store. */
export function sameRates(a: readonly Rate[], b: readonly Rate[]): boolean {
  const same = (one: Rate, other: Rate | undefined) =>
    one.limit === other?.limit && one.interval === other.interval && one.burst === other.burst;
  return a.length === b.length && a.every((rate, i) => same(rate, b[i]));
}

/**
 * The place in a sorted list of the older rate that a new one takes over from: that of the
 * same interval, else the next shorter one, else the shortest.
 */
export function predecessorOf({ interval }: Rate, older: readonly Rate[]): number {
  let place = 0;
  for (let i = 1; i < older.length && (older[i] as Rate).interval <= interval; i++) place = i;
  return place;
}

/** `value * numerator / denominator`, rounded up: exact, however large, for whole numbers of 0 or more. */
export function scaleUp(value: number, numerator: number, denominator: number): number {
  if (numerator === denominator) return value;
  const product = value * numerator;
  if (product <= Number.MAX_SAFE_INTEGER) {
    const rest = product % denominator;
    return (product - rest) / denominator + (rest > 0 ? 1 : 0);
  }
  const divisor = BigInt(denominator);
  return Number((BigInt(value) * BigInt(numerator) + divisor - 1n) / divisor);
}

/** The same, rounded down. */
export function scaleDown(value: number, numerator: number, denominator: number): number {
  if (numerator === denominator) return value;
  const product = value * numerator;
  if (product <= Number.MAX_SAFE_INTEGER) return (product - (product % denominator)) / denominator;
  return Number((BigInt(value) * BigInt(numerator)) / BigInt(denominator));
}

/** The share of the units in use that surely still counts after a replacement, whatever the rate. */
export function shareKept(newer: Kernel, older: Kernel, strategy: ReplaceStrategy): number {
  if (strategy !== "proportional") return strategy === "keep" ? 1 : 0;
  const shares = newer.rates.map((rate, i) => newer.capacity(i) / older.capacity(predecessorOf(rate, older.rates)));
  return Math.min(1, ...shares);
}
