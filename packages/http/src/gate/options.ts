import { describe, type Mode } from "@sluice/core";
import type { BodyOption } from "../answer/body.js";
import { checkNames, type Known } from "../check-names.js";
import type { HttpRequest } from "../http-request.js";
import type { RateLimiterOptions } from "../rate-limiter/options.js";
import { RateLimiter } from "../rate-limiter/rate-limiter.js";
import type { RequestQueueOptions } from "../request-queue/options.js";
import { RequestQueue } from "../request-queue/request-queue.js";
import { KNOWN_GATE, KNOWN_GATE_QUEUE, KNOWN_RATE_LIMIT } from "./known-options.js";

/** What may be switched on. */
interface Switch {
  /** Whether it is on; off when left out, so that a config can hold settings that are not in force. */
  readonly enabled?: boolean;
}

/** Limits a client, where they are switched on. */
export interface GateRateLimitOptions<R extends HttpRequest = HttpRequest>
  extends Switch,
    Omit<RateLimiterOptions<Mode, R>, "rate"> {
  /** Requests a second that each client may make; 100 when left out. For rates of other kinds, pass a `RateLimiter`. */
  readonly requestsPerSecond?: number;
}

/** A bound on how many requests are at work and how many wait, where it is switched on. */
export interface GateQueueOptions extends Switch, RequestQueueOptions {}

/** How a {@link Gate} is made. Left out, or not enabled, is off. */
export interface GateOptions<R extends HttpRequest = HttpRequest> {
  /** Limits a client: a rate limiter, or `{ enabled: true, requestsPerSecond, burst }` and whatever else one takes. */
  readonly rateLimit?: RateLimiter<Mode, R> | GateRateLimitOptions<R>;
  /** The bound on all of them: a queue, or `{ enabled: true, maxConcurrent, maxDepth, maxWait, order }`. */
  readonly queue?: RequestQueue | GateQueueOptions;
  /** How urgent a request is, where it has to wait: higher ones are served first. 0 for all when left out. */
  readonly priority?: (request: R) => number;
  /** The body of a 503, and of a 429 that says nothing else; `"problem"` (application/problem+json) when left out. */
  readonly body?: BodyOption;
}

/** Checks that options are those of a gate, and not one of its parts. */
export function checkGateOptions(options: unknown): void {
  const part = options instanceof RateLimiter ? "rateLimit" : options instanceof RequestQueue ? "queue" : undefined;
  if (part !== undefined) {
    throw new TypeError(
      `Cannot make a Gate of ${describe(options)}: that is one of its parts. Name it, as in { ${part}: it }.`,
    );
  }
  checkNames(options, KNOWN_GATE);
}

/** The rate limiter that options ask for. */
export function rateLimiterOf<R extends HttpRequest>({
  rateLimit,
  body,
}: GateOptions<R>): RateLimiter<Mode, R> | undefined {
  if (rateLimit instanceof RateLimiter) return rateLimit;
  if (!isOn("rateLimit", rateLimit, KNOWN_RATE_LIMIT)) return undefined;
  const { enabled: _, requestsPerSecond, ...rest } = rateLimit;
  return new RateLimiter<Mode, R>({
    ...(body !== undefined && { body }),
    ...rest,
    ...(requestsPerSecond !== undefined && { rate: requestsPerSecond }),
  });
}

/** The queue that options ask for. */
export function queueOf({ queue }: GateOptions<never>): RequestQueue | undefined {
  if (queue instanceof RequestQueue) return queue;
  if (!isOn("queue", queue, KNOWN_GATE_QUEUE)) return undefined;
  const { enabled: _, ...rest } = queue;
  return new RequestQueue(rest);
}

/** Checks what says how urgent a request is. */
export function checkPriorityFunction<F>(priority: F): F {
  if (priority === undefined || typeof priority === "function") return priority;
  throw new TypeError(
    `Cannot use ${describe(priority)} as priority: it is a function of the request. Leave it out, or pass one.`,
  );
}

function isOn<T extends Switch>(name: string, options: T | undefined, known: Known<T>): options is T {
  if (options === undefined) return false;
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `Cannot use ${describe(options)} as ${name}: it is an object. Pass one, as in { enabled: true }.`,
    );
  }
  checkNames(options, known);
  const { enabled = false } = options;
  if (typeof enabled === "boolean") return enabled;
  throw new TypeError(`Cannot use ${describe(enabled)} as enabled of ${name}: it is true or false. Pass one of them.`);
}
