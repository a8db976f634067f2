/**
 * What providers of language models tell of their limits in the headers of an answer.
 *
 * @module
 */

/** What is needed of `Headers`. */
export interface HeadersLike {
  /** The value of a field, in any case; `null` or `undefined` where there is none. */
  get(name: string): string | null | undefined;
}

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
 * @param now Milliseconds since 1970, against which a date is read.
 */
export function readProviderHeaders(headers: HeadersLike, now: number): ProviderLimits {
  const remaining = new Map<ProviderUnit, number>();
  for (const unit of UNITS) {
    const left =
      wholeNumber(headers.get(`x-ratelimit-remaining-${unit}`)) ??
      wholeNumber(headers.get(`anthropic-ratelimit-${unit}-remaining`));
    if (left !== undefined) remaining.set(unit, left);
  }
  return { remaining, retryAfter: pause(headers, now) };
}

function pause(headers: HeadersLike, now: number): number {
  const ms = decimal(headers.get("retry-after-ms"));
  if (ms !== undefined) return ms;
  const field = headers.get("retry-after");
  const seconds = decimal(field);
  if (seconds !== undefined) return seconds * 1000;
  const date = Date.parse(field ?? "");
  return Number.isNaN(date) ? 0 : Math.max(0, date - now);
}

function wholeNumber(field: string | null | undefined): number | undefined {
  const number = decimal(field);
  return number === undefined ? undefined : Math.floor(number);
}

function decimal(field: string | null | undefined): number | undefined {
  const number = /^\s*\d+(?:\.\d+)?\s*$/.test(field ?? "") ? Number(field) : Number.NaN;
  return number <= Number.MAX_SAFE_INTEGER ? number : undefined;
}
