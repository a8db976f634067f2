/**
 * Counts requests by key and window, refused ones included, as other people's middleware
 * asks of its stores: the limit is the middleware's own, and may be another for each request.
 *
 * @module
 */
import { type Decision, fixedWindow, type Limiter, type Mode, Rate } from "@sluice/core";
import { type OpenBucket, OpenedBucket } from "./open-bucket.js";
import { type Soon, whenThere } from "./soon.js";

/** How often a key was hit. */
export interface Hits {
  /** Hits that count at this moment. */
  readonly hits: number;
  /** Milliseconds until none of them counts any more. */
  readonly resetAfter: number;
}

/**
 * A bucket that admits so many never refuses, and what it has left says how many it admitted:
 * so the count comes with the one atomic step that counts.
 */
const ALL = 1_000_000_000;
const COUNTING = ["fixed-window", "sliding-window-counter", "sliding-window-log"];

/** A count of hits in windows of one length. */
export class HitCounter {
  readonly #bucket: OpenedBucket;

  /** @param window Milliseconds in which hits count. */
  constructor(open: OpenBucket, window: number) {
    const rate = new Rate(ALL, window);
    this.#bucket = new OpenedBucket(open, { rate, algorithm: fixedWindow, fitting: COUNTING });
  }

  /** Counts a hit. */
  hit(key: string): Soon<Hits> {
    return this.#ask((limiter) => limiter.consume(key));
  }

  /** Counts nothing, and says how many hits there were. */
  read(key: string): Soon<Hits> {
    return this.#ask((limiter) => limiter.peek(key, 0));
  }

  /** Takes a hit back. */
  giveBack(key: string): Soon<Hits> {
    return this.#ask((limiter) => limiter.refund(key));
  }

  /** Forgets the hits of one key, or of all. */
  forget(key?: string): Soon<void> {
    return this.#bucket.ask((limiter) => limiter.flush(key));
  }

  /** Closes the bucket. */
  close(): Soon<void> {
    return this.#bucket.close();
  }

  #ask(question: (limiter: Limiter<Mode>) => Soon<Decision>): Soon<Hits> {
    return this.#bucket.ask((limiter) => whenThere(question(limiter), hitsOf));
  }
}

function hitsOf({ remaining, resetAfter }: Decision): Hits {
  return { hits: ALL - remaining, resetAfter };
}
