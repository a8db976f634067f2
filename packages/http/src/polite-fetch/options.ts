import { type AbstractClock, atLeast0, describe, type Limiter, SystemClock, wholeAtLeast } from "@sluice/core";
import { checkCallable, checkNames, type Known } from "../check-names.js";
import { isIdempotent, type OutgoingRequest } from "./outgoing-request.js";

/** What is needed of a limiter: any will do, whatever its mode. */
export type WaitingLimiter = Pick<Limiter, "acquire">;

/** How long to wait between attempts. */
export interface BackoffOptions {
  /** Milliseconds of the first wait at most; 250 when left out. Each next is up to twice as long. */
  readonly base?: number;
  /** Milliseconds of any wait at most; 30,000 when left out. */
  readonly cap?: number;
}

/** How {@link politeFetch} behaves. */
export interface PoliteFetchOptions {
  /** Whose units a request takes, and who else waits when the server asks for quiet; the host of the URL when left out. */
  readonly key?: (request: OutgoingRequest) => string;
  /** Units that a request, and each repetition of it, costs; 1 when left out. */
  readonly weight?: number | ((request: OutgoingRequest) => number);
  /** How often a request is repeated at most; 3 when left out. */
  readonly retries?: number;
  /** Milliseconds from the call to the head of the answer, all waits included; 60,000 when left out. */
  readonly deadline?: number;
  /** How long to wait between attempts. */
  readonly backoff?: BackoffOptions;
  /** Statuses after which a request is repeated; 408, 425, 429, 502, 503 and 504 when left out. */
  readonly statuses?: readonly number[];
  /**
   * Whether a request may be repeated that is not idempotent by its method and has no
   * Idempotency-Key; none when left out.
   */
  readonly idempotent?: (request: OutgoingRequest) => boolean;
  /** What sends the requests; the global fetch, as it is at the time of the call, when left out. */
  readonly fetch?: typeof fetch;
  /** Where the time comes from; a `SystemClock` when left out. */
  readonly clock?: AbstractClock;
  /** Numbers from 0 up to 1, for the jitter; `Math.random` when left out. */
  readonly random?: () => number;
}

/** The options, with the defaults filled in. */
export interface PoliteSettings
  extends Required<Omit<PoliteFetchOptions, "backoff" | "random" | "statuses" | "weight">> {
  readonly weight: (request: OutgoingRequest) => number;
  readonly statuses: ReadonlySet<number>;
  /** Milliseconds to wait before repetition `attempt`, which is 0 for the first. */
  readonly backoff: (attempt: number) => number;
}

/**
 * Not 500: it tells of a defect more often than of an overload, and a defect answers the
 * same way again.
 */
const STATUSES = [408, 425, 429, 502, 503, 504];

const KNOWN: Known<PoliteFetchOptions> = {
  what: "a polite fetch",
  example: "politeFetch(undefined, { retries: 5 })",
  names: {
    key: true,
    weight: true,
    retries: true,
    deadline: true,
    backoff: true,
    statuses: true,
    idempotent: true,
    fetch: true,
    clock: true,
    random: true,
  },
  hints: {
    timeout: "deadline",
    maxRetries: "retries",
    base: "backoff: { base: 250 }",
    cap: "backoff: { cap: 30_000 }",
  },
};

const KNOWN_BACKOFF: Known<BackoffOptions> = {
  what: "a backoff",
  example: "{ base: 250, cap: 30_000 }",
  names: { base: true, cap: true },
};

/** Checks what may limit a fetch; none will do as well. */
export function checkLimiter(limiter: WaitingLimiter | undefined): void {
  if (limiter === undefined || typeof limiter?.acquire === "function") return;
  throw new TypeError(
    `Cannot fetch politely with ${describe(limiter)} as the limiter: it has no acquire(). Pass a Limiter, or none, as in politeFetch(undefined, { retries: 5 }).`,
  );
}

/** Fills in the defaults, and checks what was given. */
export function politeSettings(options: PoliteFetchOptions): PoliteSettings {
  checkNames(options, KNOWN);
  const { weight = 1, random = Math.random, backoff = {}, idempotent } = options;
  for (const name of ["key", "idempotent", "fetch", "random"] as const) checkCallable(name, options[name]);
  checkNames(backoff, KNOWN_BACKOFF);
  if (typeof weight !== "function") atLeast0("weight", weight);
  const base = atLeast0("backoff.base", backoff.base ?? 250);
  const cap = atLeast0("backoff.cap", backoff.cap ?? 30_000);
  return {
    key: options.key ?? ((request) => request.url.host),
    weight: typeof weight === "function" ? weight : () => weight,
    retries: wholeAtLeast(0, "retries", options.retries ?? 3),
    deadline: atLeast0("deadline", options.deadline ?? 60_000),
    // Full jitter: of all ways to spread retries, the one with the least work for the server
    // (Brooker, "Exponential Backoff and Jitter", 2015).
    backoff: (attempt) => random() * Math.min(cap, base * 2 ** attempt),
    statuses: new Set(statusesOf(options.statuses ?? STATUSES)),
    idempotent: (request) => isIdempotent(request) || idempotent?.(request) === true,
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    clock: options.clock ?? new SystemClock(),
  };
}

function statusesOf(statuses: readonly number[]): readonly number[] {
  if (!Array.isArray(statuses)) {
    throw new TypeError(`Cannot use ${describe(statuses)} as statuses: it is a list of numbers. Write [503].`);
  }
  return statuses.map((status) => wholeAtLeast(100, "one of statuses", status, "Write a status such as 503."));
}
