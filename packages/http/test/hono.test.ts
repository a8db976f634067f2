import type { RequestListener } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { ManualClock, StoreError, toAsync } from "@sluice/core";
import { byHeader, Gate } from "@sluice/http";
import { gate, type HonoRequest, rateLimit } from "@sluice/http/hono";
import { InMemoryBucket } from "@sluice/memory";
import { Hono, type MiddlewareHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { describe, expect, test, vi } from "vitest";
import { limitsIn } from "./support/ask.js";
import { RawClient, storm, until } from "./support/clients.js";
import { listen } from "./support/listen.js";
import { describeServer, type Work } from "./support/server-suite.js";

type FetchCallback = Parameters<typeof getRequestListener>[0];
type Bindings = { readonly incoming: Parameters<Work>[0] };

/** What Node calls for each request. */
function serving(answer: FetchCallback): RequestListener {
  const serve = getRequestListener(answer, { overrideGlobalObjects: false });
  return (request, response) => void serve(request, response);
}

/** An app behind a middleware, which answers any request with what is worked out. */
function behind(middleware: MiddlewareHandler, work: Work, onError = (_: unknown) => {}): RequestListener {
  const app = new Hono<{ Bindings: Bindings }>().use(middleware);
  app.all("*", async (context) => context.text(await work(context.env.incoming)));
  app.onError((error, context) => {
    onError(error);
    return context.text("failed", 500);
  });
  return serving(app.fetch);
}

describeServer("Hono on Node", {
  rateLimit: (limiter, work) => behind(rateLimit(limiter), work),
  rateLimits: (limiters, work) => {
    const app = new Hono<{ Bindings: Bindings }>();
    for (const limiter of limiters) app.use(rateLimit(limiter));
    app.get("/", async (context) => context.text(await work(context.env.incoming)));
    return serving(app.fetch);
  },
  gate: (entrance, work, onError) => behind(gate(entrance), work, onError),
  gateTwice: (entrance, work) => {
    const app = new Hono<{ Bindings: Bindings }>().use(gate(entrance));
    app.get("/", gate(entrance), async (context) => context.text(await work(context.env.incoming)));
    return serving(app.fetch);
  },
});

describe("over Hono", () => {
  const key = byHeader("x-user");
  const asAda = { headers: { "x-user": "ada" } };

  test("tells what is left on all responses, errors and those of fetch included, once", async () => {
    const app = new Hono();
    app.use(rateLimit({ rate: 1, burst: 9, key: () => "all", clock: new ManualClock() }));
    app.get("/", (context) => context.text("hello", 200, { "X-Mine": "here" }));
    app.get("/raw", () => new Response("raw"));
    app.get("/immutable", () => Response.redirect("https://example.org/there", 303));
    app.get("/fail", () => {
      throw new HTTPException(418, { message: "mine" });
    });
    const left = async (path: string) => {
      const response = await app.request(path);
      return [response.status, response.headers.get("ratelimit")];
    };
    expect(await left("/")).toEqual([200, '"default";r=8;t=1']);
    expect(await left("/raw")).toEqual([200, '"default";r=7;t=2']);
    expect(await left("/immutable")).toEqual([303, '"default";r=6;t=3']);
    expect(await left("/fail")).toEqual([418, '"default";r=5;t=4']);
    expect(await left("/missing")).toEqual([404, '"default";r=4;t=5']);
    const response = await app.request("/");
    expect(response.headers.get("x-mine")).toBe("here");
    expect(await response.text()).toBe("hello");
  });

  test("refuses beyond the limit without asking the handler", async () => {
    const handler = vi.fn((context) => context.text("hello"));
    const app = new Hono().use(rateLimit({ rate: 1, burst: 1, key })).get("/", handler);
    await app.request("/", asAda);
    const refused = await app.request("/", asAda);
    expect(refused.status).toBe(429);
    expect(limitsIn(refused)).toEqual(['"default";q=1;w=1', '"default";r=0;t=1', "1"]);
    expect(refused.headers.get("content-type")).toBe("application/problem+json");
    expect((await app.request("/", { headers: { "x-user": "bob" } })).status).toBe(200);
    expect(handler).toHaveBeenCalledTimes(2);
  });

  test("gives functions the context, and takes the address from the option", async () => {
    const app = new Hono<{ Variables: { user: string } }>();
    app.use(async (context, next) => {
      context.set("user", context.req.header("x-user") ?? "nobody");
      await next();
    });
    const byUser = ({ context }: HonoRequest) => context.get("user") as string;
    app.use("/user", rateLimit({ rate: 1, burst: 1, key: byUser }));
    app.use("/from", rateLimit({ rate: 1, burst: 1 }, { address: (context) => context.req.header("x-from") }));
    app.all("*", (context) => context.text("hello"));
    const status = async (path: string, headers: Record<string, string>) =>
      (await app.request(path, { headers })).status;
    expect(await status("/user", { "x-user": "ada" })).toBe(200);
    expect(await status("/user", { "x-user": "ada" })).toBe(429);
    expect(await status("/user", { "x-user": "bob" })).toBe(200);
    expect(await status("/from", { "x-from": "203.0.113.7" })).toBe(200);
    expect(await status("/from", { "x-from": "::ffff:203.0.113.7" })).toBe(429);
    expect(await status("/from", { "x-from": "203.0.113.8" })).toBe(200);
  });

  test("does not take all clients for one where it knows no address; errors go to onError", async () => {
    const errors: string[] = [];
    const broken = new InMemoryBucket("1/s");
    broken.put = () => {
      throw new StoreError("The store is away.");
    };
    for (const middleware of [rateLimit({ rate: 1 }), rateLimit({ limiter: toAsync(broken), key })]) {
      const app = new Hono().use(middleware).get("/", (context) => context.text("hello"));
      app.onError((error, context) => {
        errors.push(error.message);
        return context.text("failed", 500);
      });
      expect((await app.request("/")).status).toBe(500);
    }
    expect(errors[0]).toMatch(/this runtime does not say where a request came from/);
    expect(errors[1]).toMatch(/The store is away/);
  });
});

describe("gate() of Hono elsewhere than on Node", () => {
  /** As in a worker: the app sees requests and nothing else. */
  const elsewhere = (app: Hono) => listen(serving((request) => app.fetch(request)));

  test("in a storm 200s and 503s add up, and no slot leaks", async () => {
    const entrance = new Gate<HonoRequest>({ queue: { enabled: true, maxConcurrent: 20, maxDepth: 40 } });
    const app = new Hono().use(gate(entrance));
    app.get("/", async (context) => {
      do await new Promise((resolve) => setTimeout(resolve, 5));
      while (entrance.metrics.overloaded === 0);
      return context.text("hello");
    });
    await using server = await elsewhere(app);
    const { statuses, errors } = await storm(server.url, 1000, 200);
    const { 200: served = 0, 503: refused = 0 } = statuses;
    expect(errors).toBe(0);
    expect(served + refused).toBe(1000);
    expect(entrance.metrics).toMatchObject({ admitted: served, overloaded: refused });
    await until(() => entrance.metrics.active === 0);
    expect(entrance.queue).toMatchObject({ active: 0, depth: 0 });
  });

  test("counts a request that comes by twice once, and again when its Request comes anew", async () => {
    const entrance = new Gate<HonoRequest>({ queue: { enabled: true, maxConcurrent: 1, maxDepth: 0 } });
    const app = new Hono().use(gate(entrance)).get("/", gate(entrance), (context) => context.text("hello"));
    const request = new Request("http://localhost/");
    for (const admitted of [1, 2]) {
      expect(await (await app.request(request)).text()).toBe("hello");
      expect(entrance.metrics).toMatchObject({ active: 0, admitted, overloaded: 0 });
    }
  });

  test("holds the slot until the body is read, and gives it back when the client hangs up or the handler fails", async () => {
    const entrance = new Gate<HonoRequest>({ queue: { enabled: true, maxConcurrent: 1 } });
    const app = new Hono().use(gate(entrance));
    app.get("/", (context) => context.text("hello"));
    app.get("/fail", () => {
      throw new Error("mine");
    });
    app.get("/never", () => new Promise<Response>(() => {}));
    app.onError((_error, context) => context.text("failed", 500));
    const response = await app.request("/");
    expect(entrance.metrics.active).toBe(1);
    await response.text();
    expect(entrance.metrics.active).toBe(0);
    await (await app.request("/fail")).text();
    expect(entrance.metrics.active).toBe(0);

    await using server = await elsewhere(app);
    const clients = [await RawClient.connect(server.port), await RawClient.connect(server.port)];
    clients[0]?.get("/never");
    await until(() => entrance.metrics.active === 1);
    clients[1]?.get("/never");
    await until(() => entrance.metrics.waiting === 1);
    clients[1]?.hangUp();
    await until(() => entrance.metrics.abandoned === 1);
    clients[0]?.hangUp();
    await until(() => entrance.metrics.active === 0);
    expect(await (await fetch(server.url)).text()).toBe("hello");
  });
});
