import { describe } from "./rate.js";

/**
 * Checks that options are an object, and not what should have been in one.
 *
 * @param action What was asked, as `"acquire"`.
 * @param example A call with options, as `"acquire(key, { weight: 2 })"`.
 */
export function checkOptions<T extends object>(action: string, options: T, example: string): T {
  if (typeof options === "object" && options !== null) return options;
  throw new TypeError(`Cannot ${action} with ${describe(options)}: pass options, as in ${example}.`);
}
