import { HitCounters } from "../hits/hit-counters.js";
import { checkOpen, type OpenBucket } from "../hits/open-bucket.js";
import { type Soon, whenThere } from "../hits/soon.js";

/** What @fastify/rate-limit tells a store of its options, and of those of a route. */
export interface FastifyStoreSettings {
  /** Whether a client that goes on beyond the limit is shut out for another window each time. */
  readonly continueExceeding?: boolean;
  /** Not to be had: see {@link fastifyStore}. */
  readonly exponentialBackoff?: boolean;
  /** The route, where the store is one of its own. */
  readonly routeInfo?: { readonly method?: unknown; readonly url?: unknown };
}

/** What the plugin learns of one key. */
export interface FastifyHits {
  /** How often it was hit. */
  readonly current: number;
  /** Milliseconds until that is forgotten. */
  readonly ttl: number;
}

/** How the plugin is answered. */
export type FastifyStoreCallback = (error: Error | null, hits?: FastifyHits) => void;

/** A store, as the plugin makes it and calls it. */
export interface FastifyStore {
  /** Counts a hit. */
  incr(key: string, callback: FastifyStoreCallback, timeWindow: number, max: number): void;
  /** Counts nothing, and says how many hits there were. */
  read(key: string, callback: FastifyStoreCallback, timeWindow: number, max: number): void;
  /** The store of one route, whose counts are its own. */
  child(settings: object): FastifyStore;
}

/** What {@link fastifyStore} gives back: the class that the option `store` takes. */
export interface FastifyStoreClass {
  /** Called by the plugin with its options. */
  new (settings: object): FastifyStore;
  /** Closes the buckets of all stores of the class. */
  close(): Promise<void>;
}

/**
 * Any bucket as the `store` of @fastify/rate-limit 10 and 11.
 *
 * It counts every request of a window, those that the plugin refuses included. Each hit is
 * one atomic step. `timeWindow` and `max` may be functions; there is one bucket for each
 * length of window. Each route with a limit of its own has counts of its own.
 *
 * `continueExceeding` costs a second step. `exponentialBackoff` is refused with a
 * RangeError, since a bucket forgets a count when its window ends, and pauses that grow
 * would have to go by it for longer; `ban` serves against those who do not give up.
 *
 * @example
 * ```ts no-run
 * import rateLimit from "@fastify/rate-limit";
 * import { fastifyStore } from "@sluice/http/fastify-store";
 * import { RedisBucket } from "@sluice/redis";
 * import Fastify from "fastify";
 * import { Redis } from "ioredis";
 *
 * const client = new Redis("redis://127.0.0.1:6379");
 * const store = fastifyStore((rates, options) => new RedisBucket(client, rates, options));
 * const app = Fastify();
 * await app.register(rateLimit, { max: 100, timeWindow: "1 minute", store });
 * app.addHook("onClose", () => store.close());
 * ```
 */
export function fastifyStore(open: OpenBucket): FastifyStoreClass {
  const counts = new HitCounters(checkOpen(open));
  return class extends BucketStore {
    constructor(settings: FastifyStoreSettings) {
      super(counts, "", settings);
    }

    static close(): Promise<void> {
      return counts.close();
    }
  };
}

class BucketStore implements FastifyStore {
  readonly #counts: HitCounters;
  readonly #prefix: string;
  readonly #continues: boolean;

  constructor(counts: HitCounters, prefix: string, { continueExceeding, exponentialBackoff }: FastifyStoreSettings) {
    if (exponentialBackoff) {
      throw new RangeError(
        "Cannot back off exponentially over a bucket: it forgets the count that the pauses grow by when a window ends. Use continueExceeding or ban, or a store of the plugin's own.",
      );
    }
    this.#counts = counts;
    this.#prefix = prefix;
    this.#continues = continueExceeding === true;
  }

  incr(key: string, callback: FastifyStoreCallback, timeWindow: number, max: number): void {
    answer(callback, () =>
      whenThere(this.#counts.of(timeWindow).hit(this.#prefix + key), ({ hits, resetAfter }) =>
        this.#continues ? this.#goOn(key, timeWindow, max, hits, resetAfter) : { current: hits, ttl: resetAfter },
      ),
    );
  }

  read(key: string, callback: FastifyStoreCallback, timeWindow: number, max: number): void {
    answer(callback, () =>
      whenThere(this.#counts.of(timeWindow).read(this.#prefix + key), ({ hits, resetAfter }) => {
        if (!this.#continues) return { current: hits, ttl: resetAfter };
        return whenThere(this.#counts.blocks.left(this.#prefix + key), (left) =>
          left > 0 ? { current: Math.max(hits, max + 1), ttl: left } : { current: hits, ttl: resetAfter },
        );
      }),
    );
  }

  child(settings: FastifyStoreSettings): FastifyStore {
    const { method = "", url = "" } = settings.routeInfo ?? {};
    return new BucketStore(this.#counts, `${this.#prefix}${String(method)} ${String(url)} `, settings);
  }

  /** A hit of a client that may be shut out, and is for a whole window more when it is, or hits too often. */
  #goOn(key: string, window: number, max: number, hits: number, ttl: number): Soon<FastifyHits> {
    const { blocks } = this.#counts;
    const blocked = this.#prefix + key;
    return whenThere(blocks.left(blocked), (left) => {
      if (hits <= max && left === 0) return { current: hits, ttl };
      const told = { current: Math.max(hits, max + 1), ttl: window };
      return whenThere(blocks.extend(blocked, window, left), () => told);
    });
  }
}

/** Hands a result, or an error, to a callback, which is not called twice if it throws. */
function answer(callback: FastifyStoreCallback, ask: () => Soon<FastifyHits>): void {
  let hits: Soon<FastifyHits>;
  try {
    hits = ask();
  } catch (error) {
    callback(error as Error);
    return;
  }
  if (hits instanceof Promise) hits.then((value) => callback(null, value), callback);
  else callback(null, hits);
}
