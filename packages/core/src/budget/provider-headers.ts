/**
 * What providers of language models tell of their limits in the headers of an answer.
 *
 * @module
 */
import { describe } from "../rate.js";

/** What is needed of `Headers`, as `fetch` and axios give them. */
export interface HeadersLike {
  /** The value of a field, in any case; `null` or `undefined` where there is none. */
  get(name: string): unknown;
}

/** Fields by their names, in any case, as `node:http` gives them; of a list the first value counts. */
export type HeadersRecord = Readonly<Record<string, unknown>>;

/** A kind of unit that providers count. */
export type ProviderUnit = "requests" | "tokens" | "input-tokens" | "output-tokens";

/** What a provider says is left of each kind, and for how many milliseconds nothing should be asked of it. */
export interface ProviderLimits {
  /** Units that are left; only the kinds that the provider named. */
  readonly remaining: ReadonlyMap<ProviderUnit, number>;
  /** Milliseconds; 0 where the provider asks for no pause. */
  readonly retryAfter: number;
}

const UNITS: readonly ProviderUnit[] = ["requests", "tokens", "input-tokens", "output-tokens"];

/**
 * Reads `x-ratelimit-remaining-*` (OpenAI and those who follow it), `anthropic-ratelimit-*-remaining`,
 * `retry-after-ms` and `retry-after` (RFC 9110: seconds, or a date). What cannot be read counts as absent.
 *
 * @throws TypeError for what holds no headers.
 * @param now Milliseconds since 1970, against which a date is read.
 */
export function readProviderHeaders(headers: HeadersLike | HeadersRecord, now: number): ProviderLimits {
  const field = fieldsOf(headers);
  const remaining = new Map<ProviderUnit, number>();
  for (const unit of UNITS) {
    const left =
      wholeNumber(field(`x-ratelimit-remaining-${unit}`)) ??
      wholeNumber(field(`anthropic-ratelimit-${unit}-remaining`));
    if (left !== undefined) remaining.set(unit, left);
  }
  return { remaining, retryAfter: pause(field, now) };
}

/** How to find the value of a field by its name in small letters; `""` where there is none. */
function fieldsOf(headers: HeadersLike | HeadersRecord): (name: string) => string {
  if (typeof headers !== "object" || headers === null) {
    throw new TypeError(
      `Cannot read ${describe(headers)} as headers: pass those of the answer, as in syncFromHeaders(response.headers).`,
    );
  }
  if (isHeadersLike(headers)) return (name) => text(headers.get(name));
  const fields = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return (name) => text(fields.get(name));
}

function isHeadersLike(headers: HeadersLike | HeadersRecord): headers is HeadersLike {
  return typeof (headers as Partial<HeadersLike>).get === "function";
}

function text(value: unknown): string {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === "string" || typeof first === "number" ? String(first) : "";
}

function pause(field: (name: string) => string, now: number): number {
  const ms = decimal(field("retry-after-ms"));
  if (ms !== undefined) return ms;
  const retryAfter = field("retry-after");
  const seconds = decimal(retryAfter);
  if (seconds !== undefined) return seconds * 1000;
  const date = Date.parse(retryAfter);
  return Number.isNaN(date) ? 0 : Math.max(0, date - now);
}

function wholeNumber(field: string): number | undefined {
  const number = decimal(field);
  return number === undefined ? undefined : Math.floor(number);
}

function decimal(field: string): number | undefined {
  const number = /^\s*\d+(?:\.\d+)?\s*$/.test(field) ? Number(field) : Number.NaN;
  return number <= Number.MAX_SAFE_INTEGER ? number : undefined;
}
