/**
 * Checks on the numbers that options hold.
 *
 * @module
 */
import { describe } from "./rate.js";

const LEAVE_IT_OUT = "Leave it out for the default.";

/** Checks a number that is 0 or more, `Infinity` included; `wayOut` ends the message of the error. */
export function atLeast0(name: string, value: number, wayOut: string = LEAVE_IT_OUT): number {
  return checkNumber(name, value, value >= 0, "0 or more", wayOut);
}

/** Checks a number that is more than 0, `Infinity` included; `wayOut` ends the message of the error. */
export function moreThan0(name: string, value: number, wayOut: string = LEAVE_IT_OUT): number {
  return checkNumber(name, value, value > 0, "more than 0", wayOut);
}

/** Checks a whole number that is `least` or more; `wayOut` ends the message of the error. */
export function wholeAtLeast(least: number, name: string, value: number, wayOut: string = LEAVE_IT_OUT): number {
  const rule = `a whole number, ${least} or more`;
  return checkNumber(name, value, Number.isSafeInteger(value) && value >= least, rule, wayOut);
}

function checkNumber(name: string, value: number, sound: boolean, rule: string, wayOut: string): number {
  if (typeof value !== "number") {
    throw new TypeError(`Cannot use ${describe(value)} as ${name}: it is a number. ${wayOut}`);
  }
  if (sound) return value;
  throw new RangeError(`Cannot use ${value} as ${name}: it is ${rule}. ${wayOut}`);
}
