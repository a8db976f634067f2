/**
 * Times as JSON logs write them.
 *
 * @module
 */
import { SECOND, startOfMinute } from "./calendar.js";
import { CommonTime } from "./common-time.js";

/** From here on a number means milliseconds: as seconds it would be past the year 5000. */
const FIRST_MILLISECONDS = 1e11;
const NUMBER = /^\d+(?:\.\d+)?$/;
const ISO = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)? ?(Z|[+-]\d\d:?\d\d)?$/i;

const commonTime = new CommonTime();

/**
 * Reads an ISO date (UTC where it names no zone), a date of the Common Log Format, or seconds or
 * milliseconds since 1970 as a number or the text of one; to the microsecond.
 *
 * @returns Microseconds since 1970; NaN for what is no time.
 */
export function readTime(value: unknown): number {
  if (typeof value === "number") return sinceEpoch(value);
  if (typeof value !== "string") return Number.NaN;
  if (NUMBER.test(value)) return sinceEpoch(Number(value));
  return value.includes("/") ? commonTime.read(value, 0) : isoTime(value);
}

function sinceEpoch(value: number): number {
  return Math.round(value * (value < FIRST_MILLISECONDS ? SECOND : 1000));
}

function isoTime(text: string): number {
  const match = ISO.exec(text);
  if (match === null) return Number.NaN;
  const [, year, month, day, hour, minute, second = "0", fraction = "0", zone = "Z"] = match;
  const start = startOfMinute(Number(year), Number(month), Number(day), Number(hour), Number(minute), zone);
  return Number(second) > 60 ? Number.NaN : start + Math.round(Number(`${second}.${fraction}`) * SECOND);
}
