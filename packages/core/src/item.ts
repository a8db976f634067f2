/**
 * What is put into a bucket, and the checks on it.
 *
 * @module
 */
import { toMicroseconds } from "./duration.js";
import { describe } from "./rate.js";

/** An item of `weight` units for one key. Any plain object of this shape will do. */
export interface RateItem {
  /** Whose units they are. Any string: empty, very long and ill-formed ones included. */
  readonly key: string;
  /** Units that the item costs: a whole number, 0 or more; 1 when left out. */
  readonly weight?: number | undefined;
  /** Milliseconds on the bucket's clock; left out, the bucket's clock decides. */
  readonly timestamp?: number | undefined;
}

/** An item that has passed the checks: what the twins of a bucket receive. */
export interface Entry {
  /** Whose units they are. */
  readonly key: string;
  /** A whole number of units, 0 or more. */
  readonly weight: number;
  /** Whole microseconds; `undefined` lets the bucket's clock decide. */
  readonly at: number | undefined;
}

/** The key that is used where a caller names none. */
export const SHARED_KEY = "default";

/** Checks an item. `action` is the verb for the error message. */
export function checkItem(action: string, item: RateItem): Entry {
  if (typeof item !== "object" || item === null) {
    throw new TypeError(`Cannot ${action} ${describe(item)}: an item is an object { key, weight?, timestamp? }.`);
  }
  const { key, weight = 1, timestamp } = item;
  checkKey(action, key);
  checkWeight(action, weight, key);
  return { key, weight, at: timestamp === undefined ? undefined : checkTimestamp(timestamp) };
}

/** Checks that a key is a string. */
export function checkKey(action: string, key: string): void {
  if (typeof key !== "string") {
    throw new TypeError(
      `Cannot ${action} with the key ${describe(key)}: a key is a string. Convert it, as in String(id).`,
    );
  }
}

/** Checks that a weight is a whole number of units, 0 or more. */
export function checkWeight(action: string, weight: number, key: string): void {
  if (Number.isSafeInteger(weight) && weight >= 0) return;
  if (typeof weight !== "number") {
    throw new TypeError(
      `Cannot ${action} weight ${describe(weight)} for ${describe(key)}: a weight is a number of units. Pass a whole number, 0 or more.`,
    );
  }
  throw new RangeError(
    `Cannot ${action} weight ${weight} for ${describe(key)}: a weight is a whole number from 0 to 2^53 - 1. For fractions, scale the rate and the weight by the same factor.`,
  );
}

/** Checks an instant in milliseconds and gives it back in microseconds. */
export function checkTimestamp(timestamp: number): number {
  if (typeof timestamp !== "number") {
    throw new TypeError(
      `Cannot use ${describe(timestamp)} as a timestamp: it is a number of milliseconds, as Date.now() gives.`,
    );
  }
  const us = toMicroseconds(timestamp);
  if (!(us >= 0 && us <= Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(
      `Cannot use ${timestamp} as a timestamp: it lies between 0 and ${Number.MAX_SAFE_INTEGER / 1000} ms. Leave it out to use the bucket's clock.`,
    );
  }
  return us;
}
