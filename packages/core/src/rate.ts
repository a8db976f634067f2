/**
 * A rate: how many units in how long.
 *
 * @module
 */
import { Duration, toMicroseconds, toMilliseconds } from "./duration.js";

const TEXT = /^\s*([\d_,]+)\s*(?:\/|per\b)\s*(.+?)(?:[\s,]+burst\s*[=:]?\s*([\d_,]+))?\s*$/i;

/** A {@link Rate}, or the text of one: `"100/min"`. */
export type RateLike = Rate | string;

/** One rate or several; every place that takes rates takes this. */
export type RatesLike = RateLike | readonly RateLike[];

/**
 * At most `limit` units in any `interval`.
 *
 * @example
 * ```ts
 * import { Duration, Rate } from "@sluice/core";
 *
 * const rate = new Rate(100, Duration.MINUTE);
 * String(rate); // => "100/1m"
 * Rate.parse("1000/h burst 50").burst; // => 50
 * ```
 */
export class Rate {
  /** Units per interval: a whole number, at least 1. */
  readonly limit: number;
  /** Milliseconds, in whole microseconds. */
  readonly interval: number;
  /** Units that a token bucket admits at one instant; the other algorithms know no burst but the limit. */
  readonly burst: number;

  /**
   * @param limit Units per interval: a whole number, at least 1.
   * @param interval Milliseconds, rounded to 1 us.
   * @param burst Units at one instant (token bucket only).
   * @throws TypeError for a value that is not a number, RangeError for one out of range.
   */
  constructor(limit: number, interval: number, burst: number = limit) {
    this.limit = wholeUnits("limit", limit);
    this.burst = wholeUnits("burst", burst);
    this.interval = wholeInterval(interval);
    Object.freeze(this);
  }

  /**
   * Reads `"100/min"`, `"5 per 10s"` or `"1000/h burst 50"`.
   *
   * @throws RangeError when the text is not a rate.
   */
  static parse(text: string): Rate {
    const [, limit = "", interval = "", burst] = TEXT.exec(String(text)) ?? [];
    if (limit === "") {
      throw new RangeError(
        `Cannot read ${JSON.stringify(text)} as a rate: it takes a whole number, a slash and a duration. Write it as "100/min" or "1000/h burst 50".`,
      );
    }
    const units = (digits: string) => Number(digits.replace(/[_,]/g, ""));
    return new Rate(units(limit), Duration.parse(interval), units(burst ?? limit));
  }

  /** The rate itself, or the rate that a text describes. */
  static from(rate: RateLike): Rate {
    if (rate instanceof Rate) return rate;
    if (typeof rate === "string") return Rate.parse(rate);
    throw new TypeError(`Cannot use ${describe(rate)} as a rate: pass a Rate or a text such as "100/min".`);
  }

  /** The text that {@link Rate.parse} reads back as an equal rate. */
  toString(): string {
    const burst = this.burst === this.limit ? "" : ` burst ${this.burst}`;
    return `${this.limit}/${Duration.readable(this.interval)}${burst}`;
  }
}

/** Names a value of the wrong type, for an error message. */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  return value === null || typeof value !== "object"
    ? String(value)
    : `a value of type ${value.constructor?.name ?? "object"}`;
}

function wholeUnits(name: string, value: number): number {
  if (typeof value !== "number") {
    throw new TypeError(`Cannot use ${describe(value)} as a ${name}: it is a number of units. Pass a whole number.`);
  }
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(
      `Cannot use ${value} as a ${name}: it is a whole number from 1 to 2^53 - 1. For fractions, scale the rate and the weights by the same factor.`,
    );
  }
  return value;
}

function wholeInterval(value: number): number {
  if (typeof value !== "number") {
    throw new TypeError(
      `Cannot use ${describe(value)} as an interval: it is a number of milliseconds. For a text, call Rate.parse("100/min").`,
    );
  }
  const us = toMicroseconds(value);
  if (!(us >= 1 && us <= Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(
      `Cannot use an interval of ${value} ms: it lies between 0.001 ms and ${Number.MAX_SAFE_INTEGER / 1000} ms. Pass milliseconds, such as Duration.MINUTE.`,
    );
  }
  return toMilliseconds(us);
}
