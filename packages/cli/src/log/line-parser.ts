import { CommonLog } from "./common-log.js";
import { JsonLog } from "./json-log.js";
import type { KeyKind } from "./key-kind.js";

const OPENING_BRACE = 123;

/**
 * Reads lines of any format that is known, each by its own first character.
 *
 * There is no object a line: `time` and `key` are those of the last line that could be read.
 */
export class LineParser {
  /** Microseconds since 1970: a whole number, safe to count with. */
  time = 0;
  key = "";
  readonly #common: CommonLog;
  readonly #json: JsonLog;

  constructor(kind: KeyKind) {
    this.#common = new CommonLog(kind);
    this.#json = new JsonLog(kind);
  }

  /** Reads a line without its end, and says whether it could be read. */
  read(line: string): boolean {
    const log = line.charCodeAt(0) === OPENING_BRACE ? this.#json : this.#common;
    if (!log.read(line) || !Number.isSafeInteger(log.time) || log.time < 0) return false;
    this.time = log.time;
    this.key = log.key;
    return true;
  }
}
