/**
 * Rate limits and a gate for servers of node:http, and of node:http2 through its
 * compatibility API.
 *
 * @example
 * ```ts no-run
 * import { createServer } from "node:http";
 * import { gate } from "@sluice/http/node";
 *
 * const options = {
 *   rateLimit: { enabled: true, requestsPerSecond: 100, burst: 200 },
 *   queue: { enabled: true, maxConcurrent: 64, maxDepth: 1000 },
 * };
 * createServer(gate(options, (request, response) => response.end("hello"))).listen(8080);
 * ```
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Mode } from "@sluice/core";
import { Gate } from "../gate/gate.js";
import type { GateOptions } from "../gate/options.js";
import type { Entered } from "../gate/passage.js";
import type { RateLimiterOptions } from "../rate-limiter/options.js";
import { RateLimiter } from "../rate-limiter/rate-limiter.js";
import type { Verdict } from "../rate-limiter/verdict.js";
import { tell } from "./answer.js";
import { isOver, type NodeRequest, type NodeResponse } from "./connection.js";
import { pass } from "./pass.js";

export { type NodeRequest, type NodeResponse, turnOf } from "./connection.js";

/** Serves requests: what `createServer` of node:http and node:http2 takes. */
export type Handler<Q extends NodeRequest = IncomingMessage, S extends NodeResponse = ServerResponse> = (
  request: Q,
  response: S,
) => unknown;

/** What goes with a handler. */
export interface HandlerOptions<Q extends NodeRequest = IncomingMessage, S extends NodeResponse = ServerResponse> {
  /**
   * Answers a request that could not be judged, since a store failed or a function of yours
   * threw. When left out, the error is written to `console.error`, and the answer is a 500.
   */
  readonly onError?: (error: unknown, request: Q, response: S) => void;
}

/**
 * Puts a rate limit in front of a handler.
 *
 * Refused requests are answered with 429, and never reach it; the others carry the fields
 * that tell what is left.
 *
 * Several rate limits on one way tell of themselves in one list, in drafts 8 and 11, by
 * their `name`s; in other forms the last one has the last word. One `RateLimiter` that a
 * request comes by twice counts it twice. Rather than several limits, give one several `policies`.
 *
 * @param limit Options of a rate limiter, or one that several handlers share.
 *
 * @example
 * ```ts no-run
 * import { createServer } from "node:http";
 * import { rateLimit } from "@sluice/http/node";
 *
 * const hello = rateLimit({ rate: 100, burst: 200 }, (request, response) => response.end("hello"));
 * createServer(hello).listen(8080);
 * ```
 */
export function rateLimit<Q extends NodeRequest = IncomingMessage, S extends NodeResponse = ServerResponse>(
  limit: RateLimiter<Mode, Q> | RateLimiterOptions<Mode, Q>,
  handler: Handler<Q, S>,
  { onError = answer500 }: HandlerOptions<Q, S> = {},
): Handler<Q, S> {
  const limiter = limit instanceof RateLimiter ? limit : new RateLimiter<Mode, Q>(limit);
  return (request, response) => {
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = limiter.check(request);
    } catch (error) {
      return onError(error, request, response);
    }
    if (!(verdict instanceof Promise)) return tell(response, verdict) ? handler(request, response) : undefined;
    const conclude = (late: Verdict) =>
      !isOver(response) && tell(response, late) ? handler(request, response) : undefined;
    return verdict.then(conclude, (error) => onError(error, request, response));
  };
}

/**
 * Puts a gate in front of a handler: a rate limit (429) and a queue (503).
 *
 * A request holds its slot until its response is sent or its connection is gone, whichever
 * comes first, or the handler throws or rejects. A handler that is still at work when its
 * client hangs up works without a slot from then on: stop on the response's `"close"`.
 *
 * @param options Options of a gate, or one that several handlers share.
 */
export function gate<Q extends NodeRequest = IncomingMessage, S extends NodeResponse = ServerResponse>(
  options: Gate<Q> | GateOptions<Q>,
  handler: Handler<Q, S>,
  { onError = answer500 }: HandlerOptions<Q, S> = {},
): Handler<Q, S> {
  const entrance = options instanceof Gate ? options : new Gate<Q>(options);
  return (request, response) => {
    const serve = (inside: Entered) => runInside(inside, () => handler(request, response));
    return pass(entrance, request, response, serve, (error) => onError(error, request, response));
  };
}

/** Runs a handler. Its errors are for whoever runs the server to see, yet they give the slot back. */
function runInside(inside: Entered, run: () => unknown): unknown {
  const leave = (error: unknown): never => {
    inside.leave();
    throw error;
  };
  try {
    const outcome = run();
    return outcome instanceof Promise ? outcome.catch(leave) : outcome;
  } catch (error) {
    return leave(error);
  }
}

function answer500(error: unknown, _request: NodeRequest, response: NodeResponse): void {
  console.error(error);
  if (response.headersSent) return;
  response.statusCode = 500;
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  response.end("Internal Server Error\n");
}
