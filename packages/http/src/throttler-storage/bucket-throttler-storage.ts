import type { Hits } from "../hits/hit-counter.js";
import { HitCounters } from "../hits/hit-counters.js";
import { checkOpen, type OpenBucket } from "../hits/open-bucket.js";

/** What the guard learns of one hit. Times are whole seconds, rounded up, as the guard sends them on. */
export interface ThrottlerHits {
  /** How often the key was hit. */
  readonly totalHits: number;
  /** Seconds until that is forgotten. */
  readonly timeToExpire: number;
  /** Whether the request is to be refused. */
  readonly isBlocked: boolean;
  /** Seconds until the next one may be served; 0 where this one is. */
  readonly timeToBlockExpire: number;
}

/**
 * Any bucket as the `ThrottlerStorage` of @nestjs/throttler 6.
 *
 * As with Nest's own storage, who goes beyond the limit is shut out for `blockDuration`
 * (the guard's default is `ttl`) and starts anew after it; what is refused meanwhile
 * counts nothing. With a `blockDuration` of 0 requests are refused until the window ends.
 * Unlike there, the hits of a window are forgotten together, at its end, and not one by
 * one; hand on another `algorithm`, such as `slidingWindowCounter`, for smoother ends.
 *
 * A request is two steps, each of them atomic: its hit is counted, and only then is it
 * looked up whether its key is shut out. So a flood over any number of processes gets no
 * more than `limit` through a window.
 *
 * The application closes the buckets where it calls `enableShutdownHooks()` or `close()`.
 *
 * @example
 * ```ts no-run
 * import { ThrottlerModule } from "@nestjs/throttler";
 * import { BucketThrottlerStorage } from "@sluice/http/throttler-storage";
 * import { RedisBucket } from "@sluice/redis";
 * import { Redis } from "ioredis";
 *
 * const client = new Redis("redis://127.0.0.1:6379");
 * ThrottlerModule.forRoot({
 *   throttlers: [{ ttl: 60_000, limit: 100 }],
 *   storage: new BucketThrottlerStorage((rates, options) => new RedisBucket(client, rates, options)),
 * });
 * ```
 */
export class BucketThrottlerStorage {
  readonly #counters: HitCounters;

  /** @param open Opens the bucket of a window; there is one for each `ttl`, and one for who is shut out. */
  constructor(open: OpenBucket) {
    this.#counters = new HitCounters(checkOpen(open));
  }

  /** Called by the guard for each request. */
  async increment(
    key: string,
    ttl: number,
    limit: number,
    blockDuration: number,
    throttlerName: string,
  ): Promise<ThrottlerHits> {
    const id = `${throttlerName.length} ${throttlerName} ${key}`;
    const counter = this.#counters.of(ttl);
    const counted = await counter.hit(id);
    if (blockDuration <= 0) return told(counted, counted.hits > limit ? counted.resetAfter : 0);
    const { blocks } = this.#counters;
    const left = await blocks.left(id);
    if (left > 0) {
      if (counted.resetAfter > left) await counter.giveBack(id);
      return told({ ...counted, hits: limit + 1 }, left);
    }
    if (counted.hits <= limit) return told(counted, 0);
    await blocks.extend(id, blockDuration);
    // Shut out before they are forgotten: whoever is counted after this is looked up after it, too.
    if (counted.resetAfter > blockDuration) await counter.forget(id);
    return told(counted, blockDuration);
  }

  /** Called by Nest at the end: closes the buckets. */
  async onApplicationShutdown(): Promise<void> {
    await this.#counters.close();
  }
}

/** @param blocked Milliseconds for which the key is shut out. */
function told({ hits, resetAfter }: Hits, blocked: number): ThrottlerHits {
  return {
    totalHits: hits,
    timeToExpire: Math.ceil(resetAfter / 1000),
    isBlocked: blocked > 0,
    timeToBlockExpire: Math.ceil(blocked / 1000),
  };
}
