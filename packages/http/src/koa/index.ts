/**
 * Rate limits and a gate for Koa.
 *
 * @example
 * ```ts no-run
 * import { rateLimit } from "@sluice/http/koa";
 * import Koa from "koa";
 *
 * const app = new Koa();
 * app.use(rateLimit({ rate: 100, burst: 200, trustedHosts: ["10.0.0.0/8"] }));
 * app.use((context) => {
 *   context.body = "hello";
 * });
 * app.listen(8080);
 * ```
 *
 * @module
 */
import type { Mode } from "@sluice/core";
import type { Context, Next } from "koa";
import type { Answer, Field } from "../answer/answer.js";
import { beside } from "../answer/beside.js";
import { Gate } from "../gate/gate.js";
import type { GateOptions } from "../gate/options.js";
import type { Passage } from "../gate/passage.js";
import { HangUp, turnOf } from "../node/connection.js";
import { settle } from "../node/pass.js";
import type { RateLimiterOptions } from "../rate-limiter/options.js";
import { RateLimiter } from "../rate-limiter/rate-limiter.js";

/** A middleware of Koa. */
export type Middleware = (context: Context, next: Next) => Promise<void>;

/**
 * Limits how much each client may ask.
 *
 * Refused requests are answered with 429, and go no further; the others carry the fields
 * that tell what is left. What a store or a function of yours throws is thrown on. The
 * client's address is found by `trustedHosts`; Koa's setting `proxy` is not looked at.
 *
 * Koa drops all fields from the answer to an error that is thrown, these included.
 *
 * Several rate limits on one way tell of themselves in one list, in drafts 8 and 11, by
 * their `name`s; in other forms the last one has the last word. One `RateLimiter` that a
 * request comes by twice counts it twice. Rather than several limits, give one several `policies`.
 *
 * @param limit Options of a rate limiter whose functions are given the context, or a rate
 *   limiter that several apps share.
 *
 * @example A limit by user
 * ```ts no-run
 * import { rateLimit } from "@sluice/http/koa";
 * import Koa from "koa";
 *
 * const app = new Koa();
 * app.use(rateLimit({ rate: "30/min", key: (context) => context.state.user.id }));
 * ```
 */
export function rateLimit(limit: RateLimiter<Mode, Context> | RateLimiterOptions<Mode, Context> = {}): Middleware {
  const limiter = limit instanceof RateLimiter ? limit : new RateLimiter<Mode, Context>(limit);
  return async (context, next) => {
    const verdict = await limiter.check(context);
    if (!verdict.allowed) return answer(context, verdict);
    setFields(context, verdict.fields);
    await next();
  };
}

/**
 * Limits each client (429), and bounds how many requests are at work and how many wait (503).
 *
 * A request holds its slot until its response is sent or its connection is gone, whichever
 * comes first. A handler that is still at work when its client hangs up works without a
 * slot from then on: stop on `context.res`'s `"close"`.
 *
 * @param options Options of a gate whose functions are given the context, or a gate that
 *   several apps share.
 */
export function gate(options: Gate<Context> | GateOptions<Context>): Middleware {
  const entrance = options instanceof Gate ? options : new Gate<Context>(options);
  return async (context, next) => {
    const signal = new HangUp(context.res);
    await turnOf(context.res);
    let passage: Passage;
    try {
      passage = await entrance.enter(context, signal, context.res);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    if (!passage.allowed) return answer(context, passage);
    if (settle(passage, context.res)) await next();
  };
}

function setFields(context: Context, fields: readonly Field[]): void {
  for (const field of fields) context.set(field[0], beside(context.res.getHeader(field[0]), field));
}

function answer(context: Context, { status, fields, body }: Answer): void {
  context.status = status;
  setFields(context, fields);
  context.set("Content-Type", body.type);
  context.body = body.text;
}
