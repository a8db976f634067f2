import type { Mode } from "@sluice/core";
import type { HttpRequest } from "../http-request.js";
import type { RateLimiterMetrics } from "../rate-limiter/metrics.js";
import type { RateLimiter } from "../rate-limiter/rate-limiter.js";
import type { QueueMetrics } from "../request-queue/metrics.js";
import type { RequestQueue } from "../request-queue/request-queue.js";

/** What a {@link Gate} has done so far, in requests. */
export interface GateMetrics {
  /** Requests inside: let in, and not yet over. */
  readonly active: number;
  /** Requests that wait for a slot of the queue. */
  readonly waiting: number;
  /** Requests that were let in. */
  readonly admitted: number;
  /** Requests of clients that asked too much: 429. */
  readonly limited: number;
  /** Requests beyond what the server can do, or its store; and those that came to a closed gate: 503. */
  readonly overloaded: number;
  /** Requests whose client hung up before they were let in. */
  readonly abandoned: number;
  /** What the rate limiter says, where there is one. */
  readonly rateLimit: RateLimiterMetrics | undefined;
  /** What the queue says, where there is one. */
  readonly queue: QueueMetrics | undefined;
}

/** The counts among the metrics that the gate keeps itself. */
export type Counts = { -readonly [K in Exclude<keyof GateMetrics, "waiting" | "rateLimit" | "queue">]: number };

/** Puts the metrics of a gate together. */
export function readMetrics<R extends HttpRequest>(
  counts: Counts,
  rateLimit: RateLimiter<Mode, R> | undefined,
  queue: RequestQueue | undefined,
): GateMetrics {
  return { ...counts, waiting: queue?.depth ?? 0, rateLimit: rateLimit?.metrics, queue: queue?.metrics };
}
