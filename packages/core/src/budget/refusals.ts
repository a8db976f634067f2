/**
 * What a budget throws when a call cannot have its units in time.
 *
 * @module
 */
import type { Decision } from "../decision.js";
import { Duration } from "../duration.js";
import { type Denial, LimiterError, RateLimitExceededError, StoreError } from "../errors.js";
import { describe } from "../rate.js";

/** The error of a limiter, which may have another name or share one, by the name of the dimension. */
export function naming(name: string, error: unknown, timeout: number): unknown {
  if (error instanceof RateLimitExceededError) {
    const { key, weight, decision } = error;
    return new RateLimitExceededError({ limiter: name, key, weight, decision }, timeout);
  }
  if (!(error instanceof LimiterError) || error instanceof StoreError) return error;
  return new LimiterError(error.code, `${error.message} It limits ${describe(name)} of a budget.`, { cause: error });
}

/**
 * The error for when the provider wants to be left alone for longer than the timeout.
 *
 * @param denial What was asked for, and what the limiter would say of it but for the pause.
 * @param rest Milliseconds that are left of the pause.
 */
export function paused({ decision, ...asked }: Denial, rest: number, timeout: number): RateLimitExceededError {
  const resetAfter = Math.max(decision.resetAfter, rest);
  const refusal: Decision = { ...decision, allowed: false, retryAfter: rest, resetAfter };
  const rule = `the provider asked for a pause of ${Duration.readable(rest)} more, past the timeout of ${timeout} ms`;
  const message = `Cannot take ${asked.weight} of ${describe(asked.limiter)}: ${rule}. Retry later.`;
  return new RateLimitExceededError({ ...asked, decision: refusal }, timeout, message);
}

/** The error for when those who came before were not served within the timeout. */
export function turnTooLate(awaited: string | undefined, timeout: number): LimiterError {
  const rule = `whoever came before still waits for ${awaited ?? "an answer"}, past the timeout of ${timeout} ms`;
  return new LimiterError("TIMEOUT", `Cannot take from the budget: ${rule}. Allow more time.`);
}
