/**
 * Readers of single values, from the command line (texts) and from files (anything).
 *
 * @module
 */
import { Duration, Rate } from "@sluice/core";
import { clientAddress, type TrustedHosts } from "@sluice/http";
import { messageOf, UsageError } from "../usage-error.js";

/** Reads a value that was given at a place, such as `--port` or `port in sluice.config.json`. */
export type Reader<T> = (value: unknown, place: string) => T;

/** Whom a request is counted for. */
export type KeyChoice = { readonly by: "ip" | "none" } | { readonly by: "header"; readonly name: string };

/** The longest timer that Node knows, some 24 days. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** A whole number; digits will do. */
export function whole(least: number, most: number = Number.MAX_SAFE_INTEGER, example = 100): Reader<number> {
  const range = most === Number.MAX_SAFE_INTEGER ? `, ${least} or more` : ` from ${least} to ${most}`;
  return (value, place) => {
    const number = typeof value === "string" && /^\d[\d_]*$/.test(value) ? Number(value.replaceAll("_", "")) : value;
    if (typeof number === "number" && Number.isSafeInteger(number) && number >= least && number <= most) return number;
    throw unsound(value, place, `a whole number${range}, such as ${example}`);
  };
}

/** A duration, in milliseconds. */
export function duration(least: 0 | 1): Reader<number> {
  const rule = `a duration${least === 0 ? " or 0" : ""} such as "30s", or milliseconds; at most 24 days`;
  return (value, place) => {
    const isPlain = typeof value === "number" || value === "0";
    const ms = isPlain ? Number(value) : typeof value === "string" ? parseOr(Number.NaN, value) : Number.NaN;
    if (ms >= least && ms <= LONGEST_TIMER) return ms;
    if (typeof value === "string" && /^\d+$/.test(value)) {
      throw new UsageError(
        `Cannot use ${JSON.stringify(value)} as ${place}: it lacks a unit, as in "${value}s" or "${value}ms".`,
      );
    }
    throw unsound(value, place, rule);
  };
}

/** One of several words. */
export function oneOf<const W extends string>(words: readonly W[]): Reader<W> {
  return (value, place) => {
    const word = words.find((word) => word === value);
    if (word !== undefined) return word;
    throw unsound(value, place, `one of ${words.join(", ")}`);
  };
}

/** A text that is not empty. */
export function text(rule: string): Reader<string> {
  return (value, place) => {
    if (typeof value === "string" && value !== "") return value;
    throw unsound(value, place, rule);
  };
}

/** A name, as header fields hold it. */
export const name: Reader<string> = (value, place) => {
  if (typeof value === "string" && /^[ -~]+$/.test(value)) return value;
  throw unsound(value, place, 'a name in printable ASCII, such as "api"');
};

/** An origin, without a path. */
export const origin: Reader<URL> = (value, place) => {
  const rule = "the origin of a server, without a path, such as http://127.0.0.1:3000";
  const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
  // What may be a password is not shown.
  if (url === undefined || url.username !== "" || url.password !== "") {
    throw unsound(typeof value === "string" ? value.replace(/[^/]*@/, "...@") : value, place, rule);
  }
  const isWeb = url.protocol === "http:" || url.protocol === "https:";
  if (isWeb && url.pathname === "/" && url.search === "" && url.hash === "") return url;
  throw unsound(value, place, rule);
};

/** The URL of a store, whose form only its package knows. */
export const store: Reader<string> = (value, place) => {
  if (typeof value === "string" && /^[a-z][a-z0-9+.-]+:/i.test(value)) return value;
  const rule = "the URL of a store, such as memory:, sqlite:./sluice.db or redis://localhost:6379";
  // It may hold a password.
  throw unsound(typeof value === "string" ? `${value.slice(0, 8)}…` : value, place, rule);
};

/** Rates, as texts; an empty list for no limit. */
export const rates: Reader<readonly string[]> = (value, place) => {
  const list = texts(value, place, 'a rate such as "100/s", several of them, or "none"');
  if (list.length === 1 && list[0] === "none") return [];
  for (const rate of list) saying(place, () => Rate.parse(rate));
  return list;
};

/** What a client is. */
export const key: Reader<KeyChoice> = (value, place) => {
  if (value === "ip" || value === "none") return { by: value };
  const name = typeof value === "string" ? /^header:([\w!#$%&'*+.^`|~-]+)$/.exec(value)?.[1] : undefined;
  if (name !== undefined) return { by: "header", name };
  throw unsound(value, place, "ip, none, or header: and the name of a header field, such as header:x-api-key");
};

/** Proxies that are trusted, or their number. */
export const trusted: Reader<TrustedHosts> = (value, place) => {
  if (typeof value === "number") return checkTrust(value, place);
  const rule = 'addresses and ranges such as "10.0.0.0/8", or the number of proxies in front';
  // Nobody is in front, and that is said.
  if (Array.isArray(value) && value.length === 0) return [];
  const hosts = texts(value, place, rule).flatMap((host) => host.split(","));
  const isCount = hosts.length === 1 && /^\d+$/.test(hosts[0] ?? "");
  return checkTrust(isCount ? Number(hosts[0]) : hosts.map((host) => host.trim()), place);
};

function checkTrust(hosts: TrustedHosts, place: string): TrustedHosts {
  saying(place, () => clientAddress({ trustedHosts: hosts }));
  return hosts;
}

function texts(value: unknown, place: string, rule: string): readonly string[] {
  const list = Array.isArray(value) ? value : [value];
  if (list.length > 0 && list.every((item) => typeof item === "string")) return list;
  throw unsound(value, place, rule);
}

/** Runs what throws an error that does not know where the value was given. */
function saying(place: string, check: () => unknown): void {
  try {
    check();
  } catch (error) {
    throw new UsageError(`${messageOf(error)} It was given as ${place}.`, { cause: error });
  }
}

function parseOr(otherwise: number, value: string): number {
  try {
    return Duration.parse(value);
  } catch {
    return otherwise;
  }
}

function unsound(value: unknown, place: string, rule: string): UsageError {
  const shown = JSON.stringify(value) ?? String(value);
  return new UsageError(
    `Cannot use ${shown.length > 80 ? `${shown.slice(0, 80)}…` : shown} as ${place}: it is ${rule}.`,
  );
}
