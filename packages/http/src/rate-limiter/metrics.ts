/** What a rate limiter has done so far, in requests, and what it holds. */
export interface RateLimiterMetrics {
  /** Requests that were let through, those included that a policy would have refused that only looks on. */
  readonly admitted: number;
  /** Requests that were refused. */
  readonly refused: number;
  /** Requests that were let through, although a policy that only looks on would have refused them. */
  readonly shadowed: number;
  /** Requests that no policy was asked about. */
  readonly skipped: number;
  /** How many times a store failed. */
  readonly storeErrors: number;
  /** Clients that are kept in the memory of this process. */
  readonly tracked: number;
  /** Clients that had to make room for others before they were idle. */
  readonly evicted: number;
}

/** The counts among the metrics. */
export type Counts = { -readonly [K in Exclude<keyof RateLimiterMetrics, "tracked" | "evicted">]: number };
