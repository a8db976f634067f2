import type { Known } from "../check-names.js";
import type { RequestQueueOptions } from "./options.js";

/** The names of what makes a queue. */
export const KNOWN_QUEUE: Known<RequestQueueOptions> = {
  what: "a RequestQueue",
  example: "{ maxConcurrent: 64 }",
  names: { maxConcurrent: true, maxDepth: true, maxWait: true, order: true, clock: true, warn: true },
  hints: {
    concurrency: "maxConcurrent",
    limit: "maxConcurrent",
    maxQueue: "maxDepth",
    queueDepth: "maxDepth",
    timeout: "maxWait",
    queueOrder: "order",
  },
};
