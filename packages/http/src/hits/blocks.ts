/**
 * Keys that are shut out for a time.
 *
 * @module
 */
import { Rate, tokenBucket } from "@sluice/core";
import { type OpenBucket, OpenedBucket } from "./open-bucket.js";
import { type Soon, whenThere } from "./soon.js";

/** A token bucket that refills a unit a millisecond is a timer: it is full again after as many as were charged. */
const TIMER = new Rate(1000, 1000);

/** Keys that are shut out, each for a time of its own, in one bucket. */
export class Blocks {
  readonly #bucket: OpenedBucket;

  constructor(open: OpenBucket) {
    this.#bucket = new OpenedBucket(open, { rate: TIMER, algorithm: tokenBucket });
  }

  /** Milliseconds that a key is still shut out for; 0 for one that is not. */
  left(key: string): Soon<number> {
    return this.#bucket.ask((limiter) => whenThere(limiter.peek(key, 0), ({ resetAfter }) => resetAfter));
  }

  /**
   * Shuts a key out until so many milliseconds from now, if it is not shut out for longer.
   *
   * @param left How long it was already shut out for, as {@link Blocks.left} gave it. Where
   *   several ask at once, what they charge together beyond that is given back.
   */
  extend(key: string, ms: number, left = 0): Soon<void> {
    const missing = Math.ceil(ms - left);
    if (missing <= 0) return undefined;
    return this.#bucket.ask((limiter) =>
      whenThere(limiter.charge(key, missing), ({ resetAfter }) => {
        const surplus = Math.floor(resetAfter - Math.max(ms, left));
        return surplus > 0 ? whenThere(limiter.refund(key, surplus), () => undefined) : undefined;
      }),
    );
  }

  /** Closes the bucket. */
  close(): Soon<void> {
    return this.#bucket.close();
  }
}
