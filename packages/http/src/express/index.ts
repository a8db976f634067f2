/**
 * Rate limits and a gate for Express 5 and 4, and for others with the same middleware, such as Connect.
 *
 * @example
 * ```ts no-run
 * import { rateLimit } from "@sluice/http/express";
 * import express from "express";
 *
 * const app = express();
 * app.use(rateLimit({ rate: 100, burst: 200, trustedHosts: ["10.0.0.0/8"] }));
 * app.get("/", (request, response) => response.send("hello"));
 * app.listen(8080);
 * ```
 *
 * @module
 */
import type { Mode } from "@sluice/core";
import type { Request } from "express";
import { Gate } from "../gate/gate.js";
import type { GateOptions } from "../gate/options.js";
import type { HttpRequest } from "../http-request.js";
import { tell } from "../node/answer.js";
import { isOver, type NodeRequest, type NodeResponse } from "../node/connection.js";
import { pass } from "../node/pass.js";
import { atOnce } from "../rate-limiter/drive.js";
import type { RateLimiterOptions } from "../rate-limiter/options.js";
import { RateLimiter } from "../rate-limiter/rate-limiter.js";

/** A middleware of Express, of any version. */
export type Middleware<R extends NodeRequest = Request> = (
  request: R,
  response: NodeResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * Limits how much each client may ask.
 *
 * Refused requests are answered with 429, and go no further; the others carry the fields
 * that tell what is left. What a store or a function of yours throws goes to `next(error)`.
 * The client's address is found by `trustedHosts`; the setting `trust proxy` is not looked at.
 *
 * Several rate limits on one way tell of themselves in one list, in drafts 8 and 11, by
 * their `name`s; in other forms the last one has the last word. One `RateLimiter` that a
 * request comes by twice counts it twice. Rather than several limits, give one several `policies`.
 *
 * @param limit Options of a rate limiter, or one that several apps and routes share.
 *
 * @example A limit by user, on one route
 * ```ts no-run
 * import { rateLimit } from "@sluice/http/express";
 * import express from "express";
 *
 * const app = express();
 * const perUser = rateLimit({ rate: "30/min", key: (request) => request.get("x-user") });
 * app.post("/messages", perUser, (request, response) => response.sendStatus(202));
 * ```
 */
export function rateLimit<R extends NodeRequest & HttpRequest = Request>(
  limit: RateLimiter<Mode, R> | RateLimiterOptions<Mode, R> = {},
): Middleware<R> {
  const limiter = limit instanceof RateLimiter ? limit : new RateLimiter<Mode, R>(limit);
  return limiter.mode === "sync" ? limitAtOnce(limiter) : limitLater(limiter);
}

/** The hot path: nothing is made for a request but what the limiter makes. */
function limitAtOnce<R extends NodeRequest & HttpRequest>(limiter: RateLimiter<Mode, R>): Middleware<R> {
  return (request, response, next) => {
    let isServed: boolean;
    try {
      isServed = tell(response, atOnce(limiter.check(request)));
    } catch (error) {
      next(error);
      return;
    }
    if (isServed) next();
  };
}

function limitLater<R extends NodeRequest & HttpRequest>(limiter: RateLimiter<Mode, R>): Middleware<R> {
  const judge = async (request: R, response: NodeResponse) => {
    const verdict = await limiter.check(request);
    return !isOver(response) && tell(response, verdict);
  };
  return (request, response, next) => {
    judge(request, response).then((isServed) => isServed && next(), next);
  };
}

/**
 * Limits each client (429), and bounds how many requests are at work and how many wait (503).
 *
 * A request holds its slot until its response is sent or its connection is gone, whichever
 * comes first. A handler that is still at work when its client hangs up works without a
 * slot from then on: stop on the response's `"close"`. Put it before all that is slow,
 * body parsers included.
 *
 * @param options Options of a gate, or one that several apps and routes share.
 *
 * @example
 * ```ts no-run
 * import { gate } from "@sluice/http/express";
 * import express from "express";
 *
 * const app = express();
 * app.use(
 *   gate({
 *     rateLimit: { enabled: true, requestsPerSecond: 100, burst: 200 },
 *     queue: { enabled: true, maxConcurrent: 64, maxDepth: 1000, maxWait: 5000 },
 *   }),
 * );
 * ```
 */
export function gate<R extends NodeRequest & HttpRequest = Request>(options: Gate<R> | GateOptions<R>): Middleware<R> {
  const entrance = options instanceof Gate ? options : new Gate<R>(options);
  return (request, response, next) => {
    const passing = pass(entrance, request, response, () => next(), next);
    if (passing instanceof Promise) passing.catch(next);
  };
}
