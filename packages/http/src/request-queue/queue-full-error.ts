import { Duration, LimiterError } from "@sluice/core";

/** What a {@link QueueFullError} knows of the refusal. */
export interface QueueRefusal {
  /** Milliseconds after which a retry may hope for a slot, see {@link RequestQueue.retryAfter}. */
  readonly retryAfter: number;
  /** How many waited at that moment. */
  readonly depth: number;
  /** How many may wait; 0 is any number. */
  readonly maxDepth: number;
  /** Milliseconds that may be waited at most. */
  readonly maxWait: number;
}

/**
 * A {@link RequestQueue} had no room (code `QUEUE_FULL`), or no slot within `maxWait` (code `TIMEOUT`).
 *
 * Over HTTP it is a 503 with a Retry-After of `retryAfter`, rounded up to whole seconds.
 */
export class QueueFullError extends LimiterError implements QueueRefusal {
  /** The name of the class. */
  override readonly name = "QueueFullError";
  readonly retryAfter: number;
  readonly depth: number;
  readonly maxDepth: number;
  readonly maxWait: number;

  /** @param code Whether there was no room, or no slot in time. */
  constructor(code: "QUEUE_FULL" | "TIMEOUT", refusal: QueueRefusal) {
    super(code, explain(code, refusal));
    this.retryAfter = refusal.retryAfter;
    this.depth = refusal.depth;
    this.maxDepth = refusal.maxDepth;
    this.maxWait = refusal.maxWait;
  }
}

function explain(code: "QUEUE_FULL" | "TIMEOUT", { retryAfter, depth, maxDepth, maxWait }: QueueRefusal): string {
  const advice = `Retry in ${Duration.readable(Math.ceil(retryAfter))}`;
  if (code === "TIMEOUT") {
    return `Cannot wait for a slot any longer: none came free within maxWait, ${Duration.readable(maxWait)}. ${advice}, or raise maxWait.`;
  }
  return `Cannot wait for a slot: ${depth} wait already, and maxDepth is ${maxDepth}. ${advice}, or raise maxDepth or maxConcurrent.`;
}
