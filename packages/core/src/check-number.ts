/**
 * Checks on the numbers that options hold.
 *
 * @module
 */
import { describe } from "./rate.js";

/** Checks a number that is 0 or more. */
export function atLeast0(name: string, value: number): number {
  return checkNumber(name, value, value >= 0, "0 or more");
}

/** Checks a number of milliseconds that is more than 0; `Infinity` will do. */
export function moreThan0(name: string, value: number): number {
  return checkNumber(name, value, value > 0, "more than 0");
}

/** Checks a whole number that is 1 or more. */
export function wholeAtLeast1(name: string, value: number): number {
  return checkNumber(name, value, Number.isSafeInteger(value) && value >= 1, "a whole number, 1 or more");
}

function checkNumber(name: string, value: number, sound: boolean, rule: string): number {
  if (typeof value !== "number") {
    throw new TypeError(`Cannot use ${describe(value)} as ${name}: it is a number. Leave it out for the default.`);
  }
  if (sound) return value;
  throw new RangeError(`Cannot use ${value} as ${name}: it is ${rule}. Leave it out for the default.`);
}
