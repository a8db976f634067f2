/**
 * What common loggers call the fields of a request: nginx, Caddy, pino-http, morgan, Google Cloud and Logstash.
 *
 * @module
 */

/** A parsed line, or an object in it. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** Names of the time: an ISO date, the Common Log Format's date, or seconds or milliseconds since 1970. */
export const TIME_NAMES = ["time", "timestamp", "@timestamp", "ts", "date", "time_iso8601", "time_local", "msec"];

/** Names of the client's address. After them comes `host`, which other loggers use for the server. */
export const IP_NAMES = [
  "ip",
  "remote_addr",
  "remoteAddress",
  "client_ip",
  "clientip",
  "clientIp",
  "remote_ip",
  "remoteIp",
];

/** Names of the path. After them comes `request`, a whole request line. */
export const PATH_NAMES = ["path", "url", "uri", "request_uri", "requestUrl"];

/** Names of the user. */
export const USER_NAMES = ["user", "remote_user", "username", "user_id"];

/** Objects in which address, path and user are looked for, too. */
export const NESTED_NAMES = ["request", "req", "httpRequest"];

/** Whether a value is an object with fields. */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A field's value as text; `undefined` for what is neither a text nor a number. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" ? String(value) : undefined;
}

/** The first text under one of `names`, in the record itself or else in the request that it holds. */
export function findText(record: JsonRecord, names: readonly string[]): string | undefined {
  const own = firstText(record, names);
  if (own !== undefined) return own;
  for (const name of NESTED_NAMES) {
    const nested = record[name];
    const found = isRecord(nested) ? firstText(nested, names) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function firstText(record: JsonRecord, names: readonly string[]): string | undefined {
  let empty: string | undefined;
  for (const name of names) {
    const text = textOf(record[name]);
    if (text !== undefined && text !== "") return text;
    empty ??= text;
  }
  return empty;
}
