import type { Known } from "../check-names.js";
import { KNOWN_RATE_LIMITER } from "../rate-limiter/known-options.js";
import { KNOWN_QUEUE } from "../request-queue/known-options.js";
import type { GateOptions, GateQueueOptions, GateRateLimitOptions } from "./options.js";

const RATE_LIMIT = "rateLimit: { enabled: true, requestsPerSecond: 100 }";
const QUEUE = "queue: { enabled: true, maxConcurrent: 64 }";

/** The names of what makes a gate. */
export const KNOWN_GATE: Known<GateOptions> = {
  what: "a Gate",
  example: `{ ${RATE_LIMIT} }`,
  names: { rateLimit: true, queue: true, priority: true, body: true },
  hints: {
    enabled: RATE_LIMIT,
    requestsPerSecond: RATE_LIMIT,
    rate: RATE_LIMIT,
    burst: RATE_LIMIT,
    maxConcurrent: QUEUE,
    maxDepth: QUEUE,
    maxWait: QUEUE,
  },
};

const { rate: _, ...limiterNames } = KNOWN_RATE_LIMITER.names;
const { requestsPerSecond: __, ...limiterHints } = KNOWN_RATE_LIMITER.hints ?? {};

/** The names of what a gate makes a rate limiter of. */
export const KNOWN_RATE_LIMIT: Known<GateRateLimitOptions> = {
  what: "the rateLimit of a Gate",
  example: "{ enabled: true, requestsPerSecond: 100 }",
  names: { enabled: true, requestsPerSecond: true, ...limiterNames },
  hints: {
    ...limiterHints,
    rate: 'requestsPerSecond, or pass a RateLimiter, as in new RateLimiter({ rate: "100/min" })',
    limit: "requestsPerSecond",
  },
};

/** The names of what a gate makes a queue of. */
export const KNOWN_GATE_QUEUE: Known<GateQueueOptions> = {
  ...KNOWN_QUEUE,
  what: "the queue of a Gate",
  example: "{ enabled: true, maxConcurrent: 64 }",
  names: { enabled: true, ...KNOWN_QUEUE.names },
};
