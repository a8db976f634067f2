/**
 * Rate limits and a gate for Hono, on Node and everywhere else.
 *
 * @example
 * ```ts
 * import { rateLimit } from "@sluice/http/hono";
 * import { Hono } from "hono";
 *
 * const app = new Hono();
 * app.use(rateLimit({ rate: 1, burst: 2, key: ({ context }) => context.req.header("x-api-key") }));
 * app.get("/", (context) => context.text("hello"));
 *
 * (await app.request("/")).headers.get("ratelimit"); // => '"default";r=1;t=1'
 * (await app.request("/")).status; // => 200
 * (await app.request("/")).status; // => 429
 * ```
 *
 * @module
 */
import type { Mode } from "@sluice/core";
import type { Context, MiddlewareHandler } from "hono";
import type { Answer } from "../answer/answer.js";
import { beside } from "../answer/beside.js";
import { nobodyThere, refusal, serveInside, withFields } from "../fetch/respond.js";
import { Gate } from "../gate/gate.js";
import type { GateOptions } from "../gate/options.js";
import type { Entered, Passage } from "../gate/passage.js";
import { setFields } from "../node/answer.js";
import { HangUp, isOver, type NodeResponse, turnOf } from "../node/connection.js";
import type { RateLimiterOptions } from "../rate-limiter/options.js";
import { RateLimiter } from "../rate-limiter/rate-limiter.js";
import { type FindAddress, HonoRequest, nodeBindings } from "./hono-request.js";

export { type FindAddress, HonoRequest } from "./hono-request.js";

/** What goes with a middleware. */
export interface MiddlewareOptions {
  /**
   * The address of the other end of the connection. On Node it is known; elsewhere it is
   * what the `getConnInfo` of the runtime says, as in
   * `(context) => getConnInfo(context).remote.address`.
   */
  readonly address?: FindAddress;
}

/**
 * Limits how much each client may ask.
 *
 * Refused requests are answered with 429, and go no further; the responses to the others
 * carry the fields that tell what is left, be they errors. On Node they are set on the
 * response of Node, and not seen in `context.res`, since `Headers` cost several times the
 * limit itself. What a store or a function of yours throws goes to `app.onError`.
 *
 * On Node, several rate limits on one way tell of themselves in one list, in drafts 8 and
 * 11, by their `name`s; elsewhere the outermost has the last word. One `RateLimiter` that
 * a request comes by twice counts it twice. Rather than several limits, give one several `policies`.
 *
 * @param limit Options of a rate limiter, or one that several apps and routes share.
 *
 * @example On Cloudflare Workers
 * ```ts no-run
 * import { rateLimit } from "@sluice/http/hono";
 * import { Hono } from "hono";
 * import { getConnInfo } from "hono/cloudflare-workers";
 *
 * const app = new Hono();
 * app.use(rateLimit({ rate: 100 }, { address: (context) => getConnInfo(context).remote.address }));
 * ```
 */
export function rateLimit(
  limit: RateLimiter<Mode, HonoRequest> | RateLimiterOptions<Mode, HonoRequest> = {},
  { address }: MiddlewareOptions = {},
): MiddlewareHandler {
  const limiter = limit instanceof RateLimiter ? limit : new RateLimiter<Mode, HonoRequest>(limit);
  return async (context, next) => {
    const { incoming, outgoing } = nodeBindings(context);
    const checked = limiter.check(new HonoRequest(context, incoming, address));
    const verdict = checked instanceof Promise ? await checked : checked;
    if (!verdict.allowed) return refuse(verdict, outgoing);
    if (outgoing !== undefined) {
      setFields(outgoing, verdict.fields);
      await next();
    } else {
      await next();
      replace(context, withFields(context.res, verdict.fields));
    }
    return undefined;
  };
}

/**
 * Limits each client (429), and bounds how many requests are at work and how many wait (503).
 *
 * On Node a request holds its slot until its response is sent or its connection is gone;
 * elsewhere until the body of its response has been read to its end, or cancelled, or has
 * failed, or until the runtime raises the signal of the request.
 *
 * @param options Options of a gate, or one that several apps and routes share.
 *
 * @example
 * ```ts no-run
 * import { serve } from "@hono/node-server";
 * import { gate } from "@sluice/http/hono";
 * import { Hono } from "hono";
 *
 * const app = new Hono();
 * app.use(gate({ queue: { enabled: true, maxConcurrent: 64, maxDepth: 1000, maxWait: 5000 } }));
 * serve(app);
 * ```
 */
export function gate(
  options: Gate<HonoRequest> | GateOptions<HonoRequest>,
  { address }: MiddlewareOptions = {},
): MiddlewareHandler {
  const entrance = options instanceof Gate ? options : new Gate<HonoRequest>(options);
  return async (context, next) => {
    const { incoming, outgoing } = nodeBindings(context);
    const signal = outgoing === undefined ? context.req.raw.signal : new HangUp(outgoing);
    if (outgoing !== undefined) await turnOf(outgoing);
    let passage: Passage;
    try {
      const request = new HonoRequest(context, incoming, address);
      passage = await entrance.enter(request, signal, outgoing ?? context.req.raw);
    } catch (error) {
      if (signal.aborted) return nobodyThere();
      throw error;
    }
    if (!passage.allowed) return refuse(passage, outgoing);
    if (outgoing !== undefined) await serveOnNode(context, next, passage, outgoing);
    else await serveElsewhere(context, next, passage);
    return undefined;
  };
}

async function serveOnNode(
  context: Context,
  next: () => Promise<void>,
  inside: Entered,
  outgoing: NodeResponse,
): Promise<void> {
  if (isOver(outgoing)) {
    inside.leave();
    replace(context, nobodyThere());
    return;
  }
  outgoing.once("close", () => inside.leave());
  setFields(outgoing, inside.fields);
  await next();
}

async function serveElsewhere(context: Context, next: () => Promise<void>, inside: Entered): Promise<void> {
  const serve = async () => {
    await next();
    return context.res;
  };
  replace(context, await serveInside(context.req.raw, inside, serve));
}

/** The response to a request that is not served. On Node its fields take the place of those that other limits have set. */
function refuse(answer: Answer, outgoing: NodeResponse | undefined): Response {
  if (outgoing === undefined) return refusal(answer);
  const fields = answer.fields.map((field) => [field[0], beside(outgoing.getHeader(field[0]), field)] as const);
  return refusal({ ...answer, fields });
}

/** Sends another response than the one there is, and not both of them merged. */
function replace(context: Context, response: Response): void {
  if (context.res === response) return;
  context.res = undefined;
  context.res = response;
}
