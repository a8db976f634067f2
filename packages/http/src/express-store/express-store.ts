import { AbstractBucket, LimiterError, type Mode } from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import { HitCounter, type Hits } from "../hits/hit-counter.js";
import { checkOpen, type OpenBucket } from "../hits/open-bucket.js";
import { type Soon, whenThere } from "../hits/soon.js";
import type { ExpressStoreInit, HitSource } from "./hit-source.js";
import { OwnRates } from "./own-rates.js";

/** What an {@link ExpressStore} can be told. */
export interface ExpressStoreOptions {
  /** What all keys begin with, so that several middlewares can share one bucket; nothing when left out. */
  readonly prefix?: string;
}

/** What the middleware learns of one key. */
export interface ExpressHits {
  /** How often it was hit. */
  readonly totalHits: number;
  /** When that is forgotten, by the time of day of this machine. */
  readonly resetTime: Date;
}

/**
 * Any bucket as a `Store` of express-rate-limit 7 and 8.
 *
 * Given a function that opens buckets, it counts every request of a window, those that the
 * middleware refuses included, as the middleware's own stores do; the window is `windowMs`,
 * and the limit may be a function. Each hit is one atomic step, and its count the one after
 * that very step, so that no number of processes lets more through than one.
 *
 * Given a bucket, that decides by its own rates and algorithm, a token bucket say, and a
 * refused request counts nothing. `limit` must then be what the bucket holds.
 *
 * What the store throws goes to `next`, unless the middleware is told `passOnStoreError`.
 *
 * @example
 * ```ts
 * import { rateLimit } from "express-rate-limit";
 * import { ExpressStore } from "@sluice/http/express-store";
 * import { InMemoryBucket } from "@sluice/memory";
 *
 * const store = new ExpressStore((rates, options) => new InMemoryBucket(rates, options));
 * rateLimit({ windowMs: 60_000, limit: 100, store });
 *
 * (await store.increment("203.0.113.7")).totalHits; // => 1
 * (await store.increment("203.0.113.7")).totalHits; // => 2
 * ```
 *
 * @example Shared by several servers, and a token bucket
 * ```ts no-run
 * import { tokenBucket } from "@sluice/core";
 * import { ExpressStore } from "@sluice/http/express-store";
 * import { RedisBucket } from "@sluice/redis";
 * import { rateLimit } from "express-rate-limit";
 * import { Redis } from "ioredis";
 *
 * const client = new Redis("redis://127.0.0.1:6379");
 * const counted = new ExpressStore((rates, options) => new RedisBucket(client, rates, options));
 * const smooth = new ExpressStore(new RedisBucket(client, "100/min", { algorithm: tokenBucket }));
 * rateLimit({ windowMs: 60_000, limit: 100, standardHeaders: "draft-8", store: smooth });
 * ```
 */
export class ExpressStore {
  /** What all keys begin with: the middleware looks at it to see whether a request is counted twice. */
  readonly prefix: string;
  /** Whether nobody else sees the keys; known once the middleware has called {@link ExpressStore.init}. */
  localKeys = false;
  readonly #target: AbstractBucket<Mode> | OpenBucket;
  #source: HitSource | undefined;
  #failure: unknown;

  /** @param target A function that opens the bucket of a window, or a bucket that decides by its own rates. */
  constructor(target: AbstractBucket<Mode> | OpenBucket, { prefix = "" }: ExpressStoreOptions = {}) {
    this.#target = target instanceof AbstractBucket ? target : checkOpen(target);
    this.prefix = prefix;
  }

  /** Called by the middleware with its options. What it throws is only logged there, and thrown again by each hit. */
  init(options: ExpressStoreInit): void {
    try {
      this.#source = this.#open(options);
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  /** Counts a hit. */
  increment(key: string): Soon<ExpressHits> {
    return whenThere(this.#hits.hit(this.prefix + key), told);
  }

  /** Takes a hit back. */
  decrement(key: string): Soon<void> {
    return whenThere(this.#hits.giveBack(this.prefix + key), () => undefined);
  }

  /** What is known of a key; `undefined` for one without hits. */
  get(key: string): Soon<ExpressHits | undefined> {
    return whenThere(this.#hits.read(this.prefix + key), (hits) => (hits.hits === 0 ? undefined : told(hits)));
  }

  /** Forgets the hits of a key. */
  resetKey(key: string): Soon<void> {
    return this.#hits.forget(this.prefix + key);
  }

  /** Forgets the hits of all keys of the bucket, whatever their prefix. */
  resetAll(): Soon<void> {
    return this.#hits.forget();
  }

  /** Closes the bucket. */
  shutdown(): Soon<void> {
    return this.#source?.close();
  }

  get #hits(): HitSource {
    if (this.#source !== undefined) return this.#source;
    throw (
      this.#failure ??
      new LimiterError("CLOSED", "Cannot count hits yet: the window is not known. Pass the store to rateLimit first.")
    );
  }

  #open(options: ExpressStoreInit): HitSource {
    const target = this.#target;
    if (target instanceof AbstractBucket) {
      this.localKeys = target instanceof InMemoryBucket;
      return new OwnRates(target, options);
    }
    const open: OpenBucket = (rates, bucketOptions) =>
      whenThere(target(rates, bucketOptions), (bucket) => {
        this.localKeys = bucket instanceof InMemoryBucket;
        return bucket;
      });
    return new HitCounter(open, options.windowMs);
  }
}

function told({ hits, resetAfter }: Hits): ExpressHits {
  return { totalHits: hits, resetTime: new Date(Date.now() + resetAfter) };
}
