/**
 * The hosts that a request came through, as proxies wrote them down: nearest first.
 *
 * Each proxy appends to the right, so what stands to the left of the last entry that a
 * trusted proxy wrote may be anything. It is therefore read from the right, entry by
 * entry, and what is not reached cannot do any harm: not even a quote that never ends.
 *
 * @module
 */

/** The header fields in which proxies say whom they speak for. */
export type AddressField = "x-forwarded-for" | "forwarded";

/** One `name=value` of RFC 7239; the value may be quoted. */
const PAIR = /[ \t]*([\w!#$%&'*+.^`|~-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s;",]+))[ \t]*(?:;|$)/y;

/** Reads one field from the right. */
export class Hops {
  readonly #text: string;
  readonly #isForwarded: boolean;
  #end: number;

  constructor(field: AddressField, text: string) {
    this.#text = text;
    this.#isForwarded = field === "forwarded";
    this.#end = text.length;
  }

  /** The next entry to the left, which is `""` where it names no host; `undefined` after the last. */
  next(): string | undefined {
    if (this.#end < 0) return undefined;
    const comma = this.#isForwarded ? commaOutsideQuotes(this.#text, this.#end) : commaBefore(this.#text, this.#end);
    const entry = this.#text.slice(comma + 1, this.#end).trim();
    this.#end = comma;
    return this.#isForwarded ? hostOf(entry) : entry;
  }
}

function commaBefore(text: string, end: number): number {
  return end === 0 ? -1 : text.lastIndexOf(",", end - 1);
}

function commaOutsideQuotes(text: string, end: number): number {
  let isQuoted = false;
  for (let at = end - 1; at >= 0; at--) {
    if (text[at] === '"' && !isEscaped(text, at)) isQuoted = !isQuoted;
    else if (text[at] === "," && !isQuoted) return at;
  }
  return -1;
}

function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text[first - 1] === "\\") first--;
  return (at - first) % 2 === 1;
}

/** The value of `for` in one element of RFC 7239. */
function hostOf(element: string): string {
  let host: string | undefined;
  PAIR.lastIndex = 0;
  while (PAIR.lastIndex < element.length) {
    const [pair, name, quoted, token] = PAIR.exec(element) ?? [];
    if (pair === undefined) return "";
    if (name?.toLowerCase() !== "for") continue;
    // Two of them are one too many to tell which is meant.
    if (host !== undefined) return "";
    host = quoted?.replace(/\\(.)/g, "$1") ?? token;
  }
  return host ?? "";
}
