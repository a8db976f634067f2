/**
 * What Sluice throws at run time. A denial is a value, never an error, save where
 * a caller asked to wait and the wait cannot be.
 *
 * @module
 */
import type { Decision } from "./decision.js";
import { Duration } from "./duration.js";
import { describe } from "./rate.js";

/** The stable codes of {@link LimiterError}. */
export type LimiterErrorCode = "RATE_LIMIT_EXCEEDED" | "QUEUE_FULL" | "TIMEOUT" | "CLOSED" | "STORE" | "STORE_TIMEOUT";

/** The base of what is thrown at run time; `code` is stable, the message is not. */
export class LimiterError extends Error {
  /** The name of the class. */
  override readonly name: string = "LimiterError";
  /** What happened, for a program to read. */
  readonly code: LimiterErrorCode;

  /** @param code What happened; `options.cause` is the error underneath, if any. */
  constructor(code: LimiterErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** What a {@link RateLimitExceededError} knows of the denial. */
export interface Denial {
  /** Name of the limiter. */
  readonly limiter: string;
  /** Whose units they were. */
  readonly key: string;
  /** Units that were asked for. */
  readonly weight: number;
  /** The refusal; its `retryAfter` says when the item would have been admitted. */
  readonly decision: Decision;
}

/** A caller asked to wait (or to throw), and the item cannot be admitted in time, or ever. */
export class RateLimitExceededError extends LimiterError implements Denial {
  /** The name of the class. */
  override readonly name = "RateLimitExceededError";
  readonly limiter: string;
  readonly key: string;
  readonly weight: number;
  readonly decision: Decision;

  /**
   * @param timeout Milliseconds that the caller was ready to wait; `undefined` when it did not ask to wait.
   * @param message Where it is no rate that the item does not fit: why not.
   */
  constructor(denial: Denial, timeout?: number, message: string = explain(denial, timeout)) {
    super("RATE_LIMIT_EXCEEDED", message);
    this.limiter = denial.limiter;
    this.key = denial.key;
    this.weight = denial.weight;
    this.decision = denial.decision;
  }
}

/**
 * A store failed (code `STORE`, with the driver's own error as its `cause`), or did not
 * answer in time (`STORE_TIMEOUT`): it may then have done what it was asked to, or do it yet.
 */
export class StoreError extends LimiterError {
  /** The name of the class. */
  override readonly name = "StoreError";

  /** @param message Which operation failed, on what; `options.cause` is the driver's error. */
  constructor(message: string, options?: { readonly code?: "STORE" | "STORE_TIMEOUT"; readonly cause?: unknown }) {
    super(options?.code ?? "STORE", message, options);
  }
}

function explain({ limiter, key, weight, decision }: Denial, timeout: number | undefined): string {
  const asked = `Cannot admit weight ${weight} for ${describe(key)} in "${limiter}" (${decision.rate})`;
  if (decision.retryAfter === Number.POSITIVE_INFINITY) {
    return `${asked}: it is more than the rate holds. Lower the weight or raise the limit.`;
  }
  const wait = Duration.readable(decision.retryAfter);
  if (timeout === undefined || timeout === Number.POSITIVE_INFINITY)
    return `${asked}: it would fit in ${wait}. Retry then, or wait with acquire().`;
  return `${asked}: it would fit in ${wait}, past the timeout of ${Duration.readable(timeout)}. Retry later or allow more time.`;
}
