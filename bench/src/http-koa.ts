/**
 * What a limit takes on Koa: `http-koa.js FAMILY ROUNDS REQUESTS`, with the family of addresses `IPv4`,
 * `IPv4-mapped` or `IPv6`.
 *
 * Prints nanoseconds a request beyond the app without a limit as JSON.
 */
import { rateLimit } from "@sluice/http/koa";
import Koa, { type Middleware } from "koa";
import { RateLimiterMemory, type RateLimiterRes } from "rate-limiter-flexible";
import { type MakeApp, measureApps } from "./http-app.js";
import { countByHand } from "./http-by-hand.js";

const LIMITS = {
  "by hand, two fields": appWith(byHand),
  sluice: appWith((limit) => rateLimit({ rate: `${limit}/min` })),
  "rate-limiter-flexible": appWith(flexible),
};

await measureApps(
  appWith(() => undefined),
  LIMITS,
  process.argv.slice(2),
);

function appWith(middleware: (limit: number) => Middleware | undefined): MakeApp {
  return (limit) => {
    const app = new Koa();
    const limited = middleware(limit);
    if (limited !== undefined) app.use(limited);
    app.use((context) => {
      context.body = "hello";
    });
    const callback = app.callback();
    return (request, response) => {
      void callback(request, response);
    };
  };
}

function byHand(limit: number): Middleware {
  const count = countByHand(limit);
  return async (context, next) => {
    const left = count(context.req.socket.remoteAddress as string);
    context.set("RateLimit-Limit", `${limit}`);
    context.set("RateLimit-Remaining", `${left}`);
    if (left >= 0) await next();
    else context.status = 429;
  };
}

/** As its manual has it, with fields. */
function flexible(points: number): Middleware {
  const limiter = new RateLimiterMemory({ points, duration: 60 });
  return async (context, next) => {
    const result = await limiter.consume(context.ip).catch((refusal: RateLimiterRes) => refusal);
    context.set("X-RateLimit-Limit", `${points}`);
    context.set("X-RateLimit-Remaining", `${result.remainingPoints}`);
    if (result.consumedPoints <= points) await next();
    else context.status = 429;
  };
}
