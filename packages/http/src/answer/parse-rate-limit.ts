/**
 * What servers tell of their limits, read back: all forms that this package writes, and
 * those that are met in the wild.
 *
 * @module
 */
import { type Item, parseDictionary, parseList, Token } from "structured-headers";
import { fieldOf, type HttpFields } from "../http-request.js";
import { readDecimal, readReset, readRetryAfter, readSeconds } from "./parse-instant.js";

/** One limit that a server told of. What it did not say is not there. */
export interface ToldLimit {
  /** The name of the policy. */
  readonly policy?: string;
  /** Units per window. */
  readonly limit?: number;
  /** Units that are left. */
  readonly remaining?: number;
  /** Milliseconds until the quota is full again, or a new one begins. */
  readonly resetAfter?: number;
  /** Milliseconds that the quota is for. */
  readonly window?: number;
}

/** What a server told of its limits in the header fields of an answer. */
export interface ToldLimits {
  /** Milliseconds for which nothing should be asked of it; it takes precedence over the limits. */
  readonly retryAfter?: number;
  /** The limits, in the order in which they were told; none where nothing could be read. */
  readonly limits: readonly ToldLimit[];
}

type Reader = (name: string) => string | undefined;

/**
 * Reads the limits that a server tells of: `RateLimit` and `RateLimit-Policy` of drafts 8
 * to 11, of draft 7, `RateLimit-Limit` and its like of drafts 0 to 6, `X-RateLimit-*`
 * and `X-Rate-Limit-*` of GitHub and many others; and `Retry-After`.
 *
 * Where a server sends several forms, the newest is taken. What cannot be read counts as
 * absent: nothing that a server sends makes this throw.
 *
 * @param headers Header fields of an answer; names in a record may be in any case.
 * @param now Milliseconds since 1970, against which dates are read.
 *
 * @example
 * ```ts
 * import { parseRateLimit } from "@sluice/http";
 *
 * const headers = { "ratelimit-policy": '"burst";q=100;w=60', ratelimit: '"burst";r=0;t=30', "retry-after": "2" };
 * const { retryAfter, limits } = parseRateLimit(headers);
 * retryAfter; // => 2000
 * limits[0]; // => { policy: "burst", limit: 100, window: 60_000, remaining: 0, resetAfter: 30_000 }
 * ```
 */
export function parseRateLimit(headers: HttpFields, now: number = Date.now()): ToldLimits {
  const read = readerOf(headers);
  const told = () => legacy(read, "x-ratelimit", now) ?? legacy(read, "x-rate-limit", now) ?? [];
  const limits = named(read) ?? draft7(read) ?? draft6(read, now) ?? told();
  const ms = readDecimal(read("retry-after-ms"));
  const retryAfter = ms ?? readRetryAfter(read("retry-after"), now);
  return { ...present({ retryAfter }), limits };
}

/** Drafts 8 to 11: lists of policy names, whose parameters hold the numbers. */
function named(read: Reader): ToldLimit[] | undefined {
  const limits = new Map<string, ToldLimit>();
  const tell = (text: string | undefined, numbers: (parameters: Item[1]) => ToldLimit) => {
    for (const [value, parameters] of listOf(text)) {
      const policy = value instanceof Token ? value.toString() : value;
      if (typeof policy !== "string") continue;
      limits.set(policy, { policy, ...limits.get(policy), ...numbers(parameters) });
    }
  };
  tell(read("ratelimit-policy"), (p) => present({ limit: whole(p.get("q")), window: spanOf(p) }));
  tell(read("ratelimit"), (p) => present({ remaining: whole(p.get("r")), resetAfter: seconds(p.get("t")) }));
  return limits.size === 0 ? undefined : [...limits.values()];
}

/** Draft 7: a dictionary for the limit that is nearest its end, and a list of all quotas. */
function draft7(read: Reader): ToldLimit[] | undefined {
  const numbers = dictionaryOf(read("ratelimit"));
  const nearest = present({
    limit: whole(numbers.get("limit")),
    remaining: whole(numbers.get("remaining")),
    resetAfter: seconds(numbers.get("reset")),
  });
  return isEmpty(nearest) ? undefined : withQuotas(nearest, listOf(read("ratelimit-policy")));
}

/** Drafts 0 to 6: a field for each number. The first of them listed the quotas behind the limit. */
function draft6(read: Reader, now: number): ToldLimit[] | undefined {
  const [limit, ...quotas] = listOf(read("ratelimit-limit"));
  const nearest = present({
    limit: whole(limit?.[0]),
    remaining: wholeOf(read("ratelimit-remaining")),
    resetAfter: readReset(read("ratelimit-reset"), now),
  });
  const policy = read("ratelimit-policy");
  return withQuotas(nearest, policy === undefined ? quotas : listOf(policy));
}

/** What there was before the drafts: the same three numbers, on whose units nobody agreed. */
function legacy(read: Reader, prefix: string, now: number): ToldLimit[] | undefined {
  const after = readSeconds(read(`${prefix}-reset-after`));
  const numbers = present({
    limit: wholeOf(read(`${prefix}-limit`)),
    remaining: wholeOf(read(`${prefix}-remaining`)),
    resetAfter: after ?? readReset(read(`${prefix}-reset`), now),
  });
  if (isEmpty(numbers)) return undefined;
  const policy = read(`${prefix}-resource`) ?? read(`${prefix}-bucket`);
  return [{ ...present({ policy }), ...numbers }];
}

/** The limit that is nearest its end, with its window, and the other quotas behind it. */
function withQuotas(nearest: ToldLimit, list: readonly Item[]): ToldLimit[] | undefined {
  const quotas = list.map(([value, parameters]) => present({ limit: whole(value), window: spanOf(parameters) }));
  const sound = quotas.filter((quota) => quota.limit !== undefined);
  if (isEmpty(nearest)) return sound.length === 0 ? undefined : sound;
  const own = sound.findIndex((quota) => quota.limit === nearest.limit);
  return [{ ...sound[own], ...nearest }, ...sound.filter((_, index) => index !== own)];
}

/** Reads fields whatever the case of their names. */
function readerOf(headers: HttpFields): Reader {
  if (typeof headers.get === "function") return (name) => fieldOf(headers, name);
  const lowered = Object.create(null) as Record<string, string | readonly string[] | undefined>;
  for (const [name, value] of Object.entries(headers)) lowered[name.toLowerCase()] = value;
  return (name) => fieldOf(lowered, name);
}

function listOf(text: string | undefined): Item[] {
  try {
    const list = parseList(text ?? "");
    return list.filter((member): member is Item => !Array.isArray(member[0]));
  } catch {
    return [];
  }
}

function dictionaryOf(text: string | undefined): Map<string, unknown> {
  try {
    return new Map([...parseDictionary(text ?? "")].map(([name, [value]]) => [name, value]));
  } catch {
    return new Map();
  }
}

function wholeOf(text: string | undefined): number | undefined {
  return whole(readDecimal(text));
}

function whole(value: unknown): number | undefined {
  return typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER ? Math.floor(value) : undefined;
}

function seconds(value: unknown): number | undefined {
  const number = whole(value);
  return number === undefined ? undefined : number * 1000;
}

function spanOf(parameters: Item[1]): number | undefined {
  return seconds(parameters.get("w")) || undefined;
}

/** An object without the properties that are undefined. */
function present<T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function isEmpty(object: object): boolean {
  return Object.keys(object).length === 0;
}
