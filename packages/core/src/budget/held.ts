import { RateLimitExceededError } from "../errors.js";
import type { Limiter } from "../limiter/limiter.js";

/** Units of one dimension that were taken, until it is known what the call really cost. */
export interface Held {
  /** Gives back, or charges, what that is less or more. */
  commit(actual: number): Promise<void>;
}

/** Takes units where they are there; `undefined` where they are not. */
export async function hold(limiter: Limiter<"async">, key: string, units: number): Promise<Held | undefined> {
  if (!limiter.reserves) {
    return (await limiter.consume(key, units)).allowed ? heldByRefund(limiter, key, units) : undefined;
  }
  try {
    return await limiter.reserve(key, units, { maxWait: 0 });
  } catch (error) {
    if (error instanceof RateLimitExceededError) return undefined;
    throw error;
  }
}

/** Units that were taken by other means than a booking: what is given back of them is a refund, which knows nothing of time. */
export function heldByRefund(limiter: Limiter<"async">, key: string, units: number): Held {
  return {
    async commit(actual) {
      if (actual > units) await limiter.charge(key, actual - units);
      if (actual < units) await limiter.refund(key, units - actual);
    },
  };
}
