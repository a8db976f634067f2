/**
 * The time of the Common Log Format: `17/May/2015:10:05:03 +0000`.
 *
 * Neighbouring lines mostly share their minute, so that the calendar is asked once a minute.
 *
 * @module
 */
import { SECOND, startOfMinute } from "./calendar.js";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const TIME = /(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d):(\d\d):(\d\d)(\.\d{1,9})? ([+-]\d{4})/y;
/** Where the seconds and the zone lie in a time without a fraction. */
const SECONDS_AT = 18;
const ZONE_AT = 20;
const LENGTH = 26;

/** Reads times, the fastest when they come nearly in order. */
export class CommonTime {
  /** The text of the last minute up to its colon, that of its zone, and the instant at which it starts. */
  #minute = "?";
  #zone = "?";
  #start = Number.NaN;

  /** The time whose text begins at `at`, in microseconds since 1970; NaN when there is none. */
  read(line: string, at: number): number {
    if (!line.startsWith(this.#minute, at) || !line.startsWith(this.#zone, at + ZONE_AT))
      return this.#readWhole(line, at);
    const tens = line.charCodeAt(at + SECONDS_AT) - 48;
    const ones = line.charCodeAt(at + SECONDS_AT + 1) - 48;
    const isNumber = tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9;
    return isNumber ? this.#start + atSecond(10 * tens + ones) : Number.NaN;
  }

  #readWhole(line: string, at: number): number {
    TIME.lastIndex = at;
    const match = TIME.exec(line);
    if (match === null) return Number.NaN;
    const [, day, month = "", year, hour, minute, second, fraction, zone = ""] = match;
    const start = startOfMinute(
      Number(year),
      MONTHS.indexOf(month) + 1,
      Number(day),
      Number(hour),
      Number(minute),
      zone,
    );
    if (fraction === undefined) {
      this.#minute = line.slice(at, at + SECONDS_AT);
      this.#zone = line.slice(at + ZONE_AT, at + LENGTH);
      this.#start = start;
    }
    return start + atSecond(Number(second)) + Math.round(Number(fraction ?? 0) * SECOND);
  }
}

/** Microseconds from the start of a minute; a leap second is its sixtieth. */
function atSecond(second: number): number {
  return second <= 60 ? second * SECOND : Number.NaN;
}
