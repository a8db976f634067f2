/**
 * Durations: plain numbers of milliseconds, with names, a parser and a printer.
 *
 * @module
 */

const UNITS: readonly (readonly [ms: number, name: string, aliases: RegExp])[] = [
  [604_800_000, "w", /^(?:w|wk|wks|weeks?)$/],
  [86_400_000, "d", /^(?:d|days?)$/],
  [3_600_000, "h", /^(?:h|hr|hrs|hours?)$/],
  [60_000, "m", /^(?:m|min|mins|minutes?)$/],
  [1000, "s", /^(?:s|sec|secs|seconds?)$/],
  [1, "ms", /^(?:ms|msecs?|millis|milliseconds?)$/],
  [0.001, "us", /^(?:us|µs|μs|usecs?|microseconds?)$/],
];

const PART = /(\d+(?:\.\d+)?|\.\d+)?\s*([a-zµμ]+)\s*/gy;

/**
 * Named durations in milliseconds. They are numbers, so they add and multiply as numbers do.
 *
 * @example
 * ```ts
 * import { Duration } from "@sluice/core";
 *
 * Duration.parse("1m30s"); // => 90_000
 * Duration.readable(Duration.MINUTE + 30 * Duration.SECOND); // => "1m30s"
 * ```
 */
export const Duration = {
  /** One microsecond, the finest step of time that Sluice tells apart. */
  MICROSECOND: 0.001,
  /** One millisecond. */
  MILLISECOND: 1,
  /** 1,000 ms. */
  SECOND: 1000,
  /** 60,000 ms. */
  MINUTE: 60_000,
  /** 3,600,000 ms. */
  HOUR: 3_600_000,
  /** 86,400,000 ms: 24 hours, whatever the calendar says. */
  DAY: 86_400_000,
  /** 604,800,000 ms: seven days. */
  WEEK: 604_800_000,

  /**
   * Reads `"250ms"`, `"1m30s"`, `"1.5 hours"` or `"min"` (one of it) as milliseconds.
   *
   * @throws RangeError when the text is not a list of numbers with units.
   */
  parse(text: string): number {
    const source = String(text).trim().toLowerCase();
    let total = 0;
    let end = 0;
    for (const [whole, amount, name = ""] of source.matchAll(PART)) {
      const unit = UNITS.find(([, , aliases]) => aliases.test(name));
      // A unit without a number stands alone: "min", but not "1h min".
      if (unit === undefined || (amount === undefined && whole !== source)) break;
      total += toMicroseconds(Number(amount ?? 1) * unit[0]);
      end += whole.length;
    }
    if (end === 0 || end !== source.length) {
      throw new RangeError(
        `Cannot read ${JSON.stringify(text)} as a duration: it takes numbers with the units us, ms, s, m, h, d or w. Write it as "1m30s" or "250ms".`,
      );
    }
    return toMilliseconds(total);
  },

  /**
   * Prints milliseconds the way {@link Duration.parse} reads them: `90_000` is `"1m30s"`.
   *
   * Rounds to a microsecond. `Infinity` is `"forever"`.
   */
  readable(ms: number): string {
    if (ms === Number.POSITIVE_INFINITY) return "forever";
    if (!Number.isFinite(ms)) return String(ms);
    let rest = toMicroseconds(Math.abs(ms));
    let text = ms < 0 && rest > 0 ? "-" : "";
    for (const [unit, name] of UNITS) {
      const us = toMicroseconds(unit);
      const amount = Math.floor(rest / us);
      if (amount > 0) text += `${amount}${name}`;
      rest -= amount * us;
    }
    return text === "" ? "0ms" : text;
  },
} as const;

/** Milliseconds as the nearest whole number of microseconds. */
export function toMicroseconds(ms: number): number {
  return Math.round(ms * 1000);
}

/** Microseconds as milliseconds; the nearest double, so that `toMicroseconds` gives the same number back. */
export function toMilliseconds(us: number): number {
  return us / 1000;
}

/** What sums and differences of milliseconds are off by at most, in microseconds. */
const NOISE = 0.001;

/** Milliseconds as whole microseconds that are no fewer. */
export function ceilMicroseconds(ms: number): number {
  return Math.ceil(ms * 1000 - NOISE);
}
