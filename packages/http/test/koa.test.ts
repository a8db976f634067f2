import type { RequestListener } from "node:http";
import { Readable } from "node:stream";
import { Gate, RateLimiter } from "@sluice/http";
import { gate, rateLimit } from "@sluice/http/koa";
import Koa, { type Context } from "koa";
import { describe, expect, expectTypeOf, test } from "vitest";
import { until } from "./support/clients.js";
import { listen } from "./support/listen.js";
import { describeServer, type Work } from "./support/server-suite.js";

/** An app that does not write its errors to the console. */
function create(): Koa {
  const app = new Koa();
  app.silent = true;
  return app;
}

/** What a server calls for each request. */
function serving(app: Pick<Koa, "callback">): RequestListener {
  const serve = app.callback();
  return (request, response) => void serve(request, response);
}

function answering(work: Work) {
  return async (context: Context) => {
    context.body = await work(context.req);
  };
}

describeServer("Koa", {
  rateLimit: (limiter, work) => serving(create().use(rateLimit(limiter)).use(answering(work))),
  rateLimits: (limiters, work) => {
    const app = create();
    for (const limiter of limiters) app.use(rateLimit(limiter));
    return serving(app.use(answering(work)));
  },
  gate: (entrance, work, onError) => serving(create().on("error", onError).use(gate(entrance)).use(answering(work))),
  gateTwice: (entrance, work) => serving(create().use(gate(entrance)).use(gate(entrance)).use(answering(work))),
});

describe("over Koa", () => {
  test("functions are given the context, and what is in front of it sees the refusal", async () => {
    const seen: number[] = [];
    const app = create();
    app.use(async (context, next) => {
      Object.assign(context.state, { user: context.get("X-User") });
      await next();
      seen.push(context.status);
    });
    app.use(
      rateLimit({
        rate: "1/min",
        key: (context) => {
          expectTypeOf(context).toEqualTypeOf<Context>();
          const { user } = context.state;
          return user;
        },
      }),
    );
    app.use(answering(() => "hello"));
    await using server = await listen(serving(app));
    for (const user of ["ada", "ada", "bob"]) await fetch(server.url, { headers: { "X-User": user } });
    expect(seen).toEqual([200, 429, 200]);
  });

  test("finds the client behind trusted proxies, with the context as the request", async () => {
    using limiter = new RateLimiter({ rate: 0.001, burst: 1, trustedHosts: ["127.0.0.0/8"] });
    const app = create().use(rateLimit(limiter));
    await using server = await listen(serving(app.use(answering(() => "hello"))));
    const statuses = [];
    for (const address of ["203.0.113.7", "203.0.113.7", "203.0.113.8"]) {
      statuses.push((await fetch(server.url, { headers: { "X-Forwarded-For": address } })).status);
    }
    expect(statuses).toEqual([200, 429, 200]);
  });

  test("a streamed answer holds its slot until its end, long after the middleware is done", async () => {
    const entrance = new Gate({ queue: { enabled: true, maxConcurrent: 1 } });
    const body = new Readable({ read() {} });
    const app = create().use(gate(entrance));
    app.use((context) => {
      context.body = body;
      body.push("first half, ");
    });
    await using server = await listen(serving(app));
    const response = await fetch(server.url);
    expect(entrance.queue?.active).toBe(1);
    body.push("second half");
    body.push(null);
    expect(await response.text()).toBe("first half, second half");
    await until(() => entrance.queue?.active === 0);
  });

  test("a middleware of Koa", () => {
    expectTypeOf(rateLimit()).toExtend<Koa.Middleware>();
    expectTypeOf(gate({})).toExtend<Koa.Middleware>();
  });
});
