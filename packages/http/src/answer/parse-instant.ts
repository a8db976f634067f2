/**
 * Times as servers write them in header fields: seconds, dates, durations and Unix time.
 *
 * @module
 */
import { Duration, toMicroseconds, toMilliseconds } from "@sluice/core";

const DECIMAL = /^\d{1,16}(?:\.\d{1,16})?$/;
/** RFC 9110 in its three forms, all of which begin with the day of the week; and RFC 3339. */
const DATE = /^(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? |\d{4}-\d\d-\d\d[Tt ])/;
const SPAN = /^(?:\d{1,12}(?:\.\d{1,12})?(?:ms|s|m|h|d))+$/;
/** 2001 in Unix time: no wait in seconds is as long, and no server's clock is as late. */
const UNIX_SECONDS = 1_000_000_000;
const UNIX_MILLISECONDS = 100_000_000_000;

/** A decimal number, 0 or more; `undefined` for anything else. */
export function readDecimal(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? "";
  return DECIMAL.test(trimmed) ? Number(trimmed) : undefined;
}

/** A decimal number of seconds as milliseconds; `undefined` for anything else. */
export function readSeconds(text: string | undefined): number | undefined {
  const seconds = readDecimal(text);
  return seconds === undefined ? undefined : toMilliseconds(toMicroseconds(seconds * 1000));
}

/**
 * Reads `Retry-After` (RFC 9110): seconds, or a date in any of its three forms.
 *
 * @param now Milliseconds since 1970, against which a date is read.
 * @returns Milliseconds, 0 or more; `undefined` for what is neither.
 */
export function readRetryAfter(text: string | undefined, now: number): number | undefined {
  return readSeconds(text) ?? untilDate(text, now);
}

/**
 * Reads when a quota starts anew, in whichever way a service says so: seconds from now,
 * Unix time in seconds or milliseconds, a date, or a span such as `6m0s`.
 *
 * @returns Milliseconds from `now`, 0 or more; `undefined` for none of these.
 */
export function readReset(text: string | undefined, now: number): number | undefined {
  const number = readDecimal(text);
  if (number !== undefined) {
    if (number >= UNIX_MILLISECONDS) return Math.max(0, number - now);
    return number >= UNIX_SECONDS ? Math.max(0, number * 1000 - now) : readSeconds(text);
  }
  const trimmed = text?.trim() ?? "";
  return SPAN.test(trimmed) ? Duration.parse(trimmed) : untilDate(trimmed, now);
}

function untilDate(text: string | undefined, now: number): number | undefined {
  const trimmed = text?.trim() ?? "";
  if (!DATE.test(trimmed)) return undefined;
  // The form of asctime() names no zone, and would be read as local time.
  const zoned = /[a-z]$|[+-]\d\d:?\d\d$/i.test(trimmed) ? trimmed : `${trimmed} GMT`;
  const date = Date.parse(zoned);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
