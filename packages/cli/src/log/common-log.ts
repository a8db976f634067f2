/**
 * Lines of the Common Log Format, and of the Combined one, which only adds to their end:
 *
 * `192.0.2.1 - ada [17/May/2015:10:05:03 +0000] "GET /a?b=1 HTTP/1.1" 200 2326`
 *
 * A line is read if it has an address, two names and a time. The request may be anything, a lone `-` included.
 *
 * @module
 */
import { CommonTime } from "./common-time.js";
import { type KeyFields, type KeyKind, keyOf, NO_VALUE } from "./key-kind.js";
import { pathOfRequest } from "./request-path.js";

const QUOTE = '"';
const BACKSLASH = 92;

/** Reads one line after the other; `time` and `key` are those of the last one that could be read. */
export class CommonLog implements KeyFields {
  /** Microseconds since 1970. */
  time = Number.NaN;
  key = "";
  readonly #kind: KeyKind;
  readonly #clock = new CommonTime();
  #line = "";
  /** Where the address, the client's own name and the user's name end, and where the time begins. */
  #addressEnd = 0;
  #identityEnd = 0;
  #userEnd = 0;

  constructor(kind: KeyKind) {
    this.#kind = kind;
  }

  /** Reads a line, and says whether it could be read. */
  read(line: string): boolean {
    this.#line = line;
    this.#addressEnd = line.indexOf(" ");
    this.#identityEnd = line.indexOf(" ", this.#addressEnd + 1);
    if (this.#addressEnd < 1) return false;
    this.#readTime();
    const key = keyOf(this.#kind, this);
    if (key === undefined || Number.isNaN(this.time)) return false;
    this.key = key;
    return true;
  }

  ip(): string {
    return this.#line.slice(0, this.#addressEnd);
  }

  user(): string {
    return this.#line.slice(this.#identityEnd + 1, this.#userEnd) || NO_VALUE;
  }

  /** The path of the request; `-` where there is no whole request. */
  path(): string {
    const line = this.#line;
    const start = line.indexOf(QUOTE, this.#userEnd) + 1;
    if (start === 0) return NO_VALUE;
    let end = line.indexOf(QUOTE, start);
    while (end !== -1 && isEscaped(line, end)) end = line.indexOf(QUOTE, end + 1);
    return end === -1 ? NO_VALUE : pathOfRequest(line.slice(start, end));
  }

  /** Finds the time: a user's name may hold spaces and brackets too. */
  #readTime(): void {
    this.time = Number.NaN;
    let end = this.#line.indexOf(" [", this.#identityEnd + 1);
    while (end !== -1 && Number.isNaN(this.time)) {
      this.#userEnd = end;
      this.time = this.#clock.read(this.#line, end + 2);
      end = this.#line.indexOf(" [", end + 1);
    }
  }
}

function isEscaped(line: string, at: number): boolean {
  let start = at;
  while (line.charCodeAt(start - 1) === BACKSLASH) start--;
  return (at - start) % 2 === 1;
}
