/**
 * Lines that are one JSON object each, with the names that common loggers give the fields.
 *
 * @module
 */
import {
  findText,
  IP_NAMES,
  isRecord,
  type JsonRecord,
  PATH_NAMES,
  TIME_NAMES,
  textOf,
  USER_NAMES,
} from "./json-fields.js";
import { readTime } from "./json-time.js";
import { type KeyFields, type KeyKind, keyOf, NO_VALUE } from "./key-kind.js";
import { pathOfRequest, pathOfTarget } from "./request-path.js";

/** An IPv4 address or an IPv6 one in brackets, with a port behind it. */
const ADDRESS_AND_PORT = /^(?:(\d+\.\d+\.\d+\.\d+)|\[([\da-f:.%]+)\]):\d+$/i;

/**
 * Reads one line after the other; `time` and `key` are those of the last one that could be read.
 *
 * A line without a time, or without the field that the key is made of, cannot be read. An
 * empty user is `-`, as in the Common Log Format.
 */
export class JsonLog implements KeyFields {
  /** Microseconds since 1970. */
  time = Number.NaN;
  key = "";
  readonly #kind: KeyKind;
  #record: JsonRecord = {};

  constructor(kind: KeyKind) {
    this.#kind = kind;
  }

  /** Reads a line, and says whether it could be read. */
  read(line: string): boolean {
    const record = parse(line);
    if (!isRecord(record)) return false;
    this.#record = record;
    this.time = timeOf(record);
    const key = keyOf(this.#kind, this);
    if (key === undefined || Number.isNaN(this.time)) return false;
    this.key = key;
    return true;
  }

  ip(): string | undefined {
    const { host } = this.#record;
    const text = findText(this.#record, IP_NAMES) || textOf(host) || undefined;
    if (text === undefined || !text.includes(":")) return text;
    const [, ipv4, ipv6] = ADDRESS_AND_PORT.exec(text) ?? [];
    return ipv4 ?? ipv6 ?? text;
  }

  path(): string | undefined {
    const target = findText(this.#record, PATH_NAMES);
    if (target !== undefined) return pathOfTarget(target);
    const { request } = this.#record;
    return typeof request === "string" ? pathOfRequest(request) : undefined;
  }

  user(): string | undefined {
    const text = findText(this.#record, USER_NAMES);
    return text === "" ? NO_VALUE : text;
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function timeOf(record: JsonRecord): number {
  for (const name of TIME_NAMES) {
    const time = readTime(record[name]);
    if (!Number.isNaN(time)) return time;
  }
  return Number.NaN;
}
