import type { Hits } from "../hits/hit-counter.js";
import type { Soon } from "../hits/soon.js";

/** What the store is told of the options of `rateLimit`. */
export interface ExpressStoreInit {
  /** Milliseconds in which hits count. */
  readonly windowMs: number;
  /** How many hits the middleware lets through in them. */
  readonly limit?: unknown;
  /** Whether requests that failed are given back. */
  readonly skipFailedRequests?: boolean;
}

/** Where hits are counted. */
export interface HitSource {
  /** Counts a hit. */
  hit(key: string): Soon<Hits>;
  /** Counts nothing. */
  read(key: string): Soon<Hits>;
  /** Takes a hit back. */
  giveBack(key: string): Soon<unknown>;
  /** Forgets one key, or all. */
  forget(key?: string): Soon<void>;
  /** Closes the bucket. */
  close(): Soon<void>;
}
