/**
 * Hits as a bucket with rates of its own sees them.
 *
 * @module
 */
import { type AbstractBucket, type Decision, Limiter, type Mode } from "@sluice/core";
import type { Hits } from "../hits/hit-counter.js";
import { type Soon, whenThere } from "../hits/soon.js";
import type { ExpressStoreInit, HitSource } from "./hit-source.js";

/**
 * Lets a bucket decide: what it has not left counts as hits, and what it refuses is one
 * hit beyond all that it admits.
 */
export class OwnRates implements HitSource {
  readonly #limiter: Limiter<Mode>;
  readonly #capacity: number;

  constructor(bucket: AbstractBucket<Mode>, { limit, skipFailedRequests }: ExpressStoreInit) {
    this.#limiter = new Limiter(bucket);
    this.#capacity = bucket.capacity;
    if (limit !== bucket.capacity) {
      throw new RangeError(
        `Cannot limit by ${bucket.rates.join(", ")} under a limit of ${typeof limit === "function" ? "a function" : String(limit)}: the bucket holds ${bucket.capacity}, and the middleware must say so. Pass limit: ${bucket.capacity}, or a function that opens a bucket for the middleware's window.`,
      );
    }
    if (skipFailedRequests) {
      throw new RangeError(
        "Cannot skip failed requests over a bucket with rates of its own: refused requests would be given back too, and took nothing. Pass a function that opens a bucket for the middleware's window.",
      );
    }
  }

  hit(key: string): Soon<Hits> {
    return whenThere(this.#limiter.consume(key), (decision) =>
      decision.allowed ? this.#hitsOf(decision) : { hits: this.#capacity + 1, resetAfter: decision.retryAfter },
    );
  }

  read(key: string): Soon<Hits> {
    return whenThere(this.#limiter.peek(key, 0), (decision) => this.#hitsOf(decision));
  }

  giveBack(key: string): Soon<unknown> {
    return this.#limiter.refund(key);
  }

  forget(key?: string): Soon<void> {
    return this.#limiter.flush(key);
  }

  close(): Soon<void> {
    return this.#limiter.close();
  }

  #hitsOf({ remaining, resetAfter }: Decision): Hits {
    return { hits: this.#capacity - remaining, resetAfter };
  }
}
