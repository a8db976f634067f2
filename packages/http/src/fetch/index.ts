/**
 * Rate limits and a gate for handlers of the fetch standard, from a `Request` to a
 * `Response`: Deno, Bun, Cloudflare Workers, service workers and whatever else serves by them.
 *
 * @example
 * ```ts
 * import { rateLimit } from "@sluice/http/fetch";
 *
 * const fetch = rateLimit({ rate: 1, burst: 2 }, () => new Response("hello"), {
 *   address: (request) => request.headers.get("cf-connecting-ip") ?? undefined,
 * });
 * const request = new Request("https://example.org/", { headers: { "cf-connecting-ip": "203.0.113.7" } });
 * (await fetch(request)).headers.get("ratelimit"); // => '"default";r=1;t=1'
 * (await fetch(request)).status; // => 200
 * (await fetch(request)).status; // => 429
 * ```
 *
 * @module
 */
import type { Mode } from "@sluice/core";
import { Gate } from "../gate/gate.js";
import type { GateOptions } from "../gate/options.js";
import type { Passage } from "../gate/passage.js";
import type { RateLimiterOptions } from "../rate-limiter/options.js";
import { RateLimiter } from "../rate-limiter/rate-limiter.js";
import { FetchRequest, type FindAddress } from "./fetch-request.js";
import { nobodyThere, refusal, serveInside, withFields } from "./respond.js";

export { FetchRequest, type FindAddress } from "./fetch-request.js";

/** Serves requests; what else the runtime passes comes after the request. */
export type Handler<A extends unknown[] = []> = (request: Request, ...args: A) => Response | Promise<Response>;

/** What goes with a handler. */
export interface HandlerOptions<A extends unknown[] = []> {
  /**
   * The address of the other end of the connection: `(request, info) => info.remoteAddr.hostname`
   * in Deno, `(request, server) => server.requestIP(request)?.address` in Bun. Without it
   * clients cannot be told apart by address, and whoever tries gets a TypeError.
   */
  readonly address?: FindAddress<A>;
}

/**
 * Puts a rate limit in front of a handler.
 *
 * Refused requests are answered with 429, and never reach it; the responses to the others
 * carry the fields that tell what is left. What a store or a function of yours throws is a
 * rejection.
 *
 * Of several rate limits on one way the outermost has the last word, and one `RateLimiter`
 * that a request comes by twice counts it twice. Rather than several limits, give one several `policies`.
 *
 * @param limit Options of a rate limiter, or one that several handlers share.
 *
 * @example With Deno
 * ```ts no-run
 * import { rateLimit } from "@sluice/http/fetch";
 *
 * type Info = { remoteAddr: { hostname: string } };
 * const hello = (_request: Request, _info: Info) => new Response("hello");
 * const limited = rateLimit({ rate: 100 }, hello, { address: (_request, info) => info.remoteAddr.hostname });
 * // Deno.serve(limited);
 * ```
 */
export function rateLimit<A extends unknown[] = []>(
  limit: RateLimiter<Mode, FetchRequest<A>> | RateLimiterOptions<Mode, FetchRequest<A>>,
  handler: Handler<A>,
  { address }: HandlerOptions<A> = {},
): (request: Request, ...args: A) => Promise<Response> {
  const limiter = limit instanceof RateLimiter ? limit : new RateLimiter<Mode, FetchRequest<A>>(limit);
  return async (request, ...args) => {
    const verdict = await limiter.check(new FetchRequest(request, args, address));
    if (!verdict.allowed) return refusal(verdict);
    return withFields(await handler(request, ...args), verdict.fields);
  };
}

/**
 * Puts a gate in front of a handler: a rate limit (429) and a queue (503).
 *
 * A request holds its slot until the body of its response has been read to its end, or
 * cancelled, or has failed; until its client hangs up, where the runtime raises the
 * request's signal then; or until the handler throws.
 *
 * @param options Options of a gate, or one that several handlers share.
 */
export function gate<A extends unknown[] = []>(
  options: Gate<FetchRequest<A>> | GateOptions<FetchRequest<A>>,
  handler: Handler<A>,
  { address }: HandlerOptions<A> = {},
): (request: Request, ...args: A) => Promise<Response> {
  const entrance = options instanceof Gate ? options : new Gate<FetchRequest<A>>(options);
  return async (request, ...args) => {
    const { signal } = request;
    let passage: Passage;
    try {
      passage = await entrance.enter(new FetchRequest(request, args, address), signal, request);
    } catch (error) {
      if (signal.aborted) return nobodyThere();
      throw error;
    }
    if (!passage.allowed) return refusal(passage);
    return serveInside(request, passage, async () => handler(request, ...args));
  };
}
