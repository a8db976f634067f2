/**
 * Options as they come from where no types are checked: a name that nobody reads would
 * leave a server unprotected without a word.
 *
 * @module
 */
import { describe } from "@sluice/core";

/** What options may be called. */
export interface Known<O = Readonly<Record<string, unknown>>> {
  /** What is made of the options, for an error message. */
  readonly what: string;
  /** Options that do, for an error message. */
  readonly example: string;
  /** All the names. */
  readonly names: Readonly<Record<keyof O & string, true>>;
  /** What to write for what others call it, or for what belongs elsewhere. */
  readonly hints?: Readonly<Record<string, string>>;
}

/**
 * Checks that options are an object, and that each of their names is known.
 *
 * @throws TypeError
 */
export function checkNames<O>(options: unknown, { what, example, names, hints = {} }: Known<O>): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TypeError(
      `Cannot make ${what} of ${describe(options)}: its options are an object. Pass one, as in ${example}.`,
    );
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(names, name)) continue;
    const known = Object.keys(names);
    const alike = known.find((other) => other.toLowerCase() === name.toLowerCase());
    const hint = alike ?? (Object.hasOwn(hints, name) ? hints[name] : undefined);
    const wayOut = hint === undefined ? `The options are ${known.join(", ")}.` : `Write ${hint}.`;
    throw new TypeError(`Cannot make ${what} with ${name}: there is no such option. ${wayOut}`);
  }
}

/** Checks an option that is a function; `undefined` will do as well. */
export function checkCallable<F>(name: string, value: F): F {
  if (value === undefined || typeof value === "function") return value;
  throw new TypeError(`Cannot use ${describe(value)} as ${name}: it is a function. Leave it out, or pass one.`);
}
