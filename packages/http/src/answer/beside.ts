/**
 * Several rate limits on the way of one request, which all tell what is left.
 *
 * @module
 */
import type { Field } from "./answer.js";

/**
 * What a field is to say, where it says something already.
 *
 * Drafts 8 and 11 tell limits in lists of named policies, to which others can be added;
 * in all other forms, and for all other fields, the later word holds.
 *
 * @param said The value that is set.
 */
export function beside(said: unknown, [name, value]: Field): string {
  const isList = (name === "RateLimit" || name === "RateLimit-Policy") && isNamed(said) && isNamed(value);
  return isList ? `${said}, ${value}` : value;
}

/** Whether a list begins with a name, as a string of RFC 9651; draft 7 begins with a number or a key. */
function isNamed(value: unknown): boolean {
  return typeof value === "string" && value.startsWith('"');
}
