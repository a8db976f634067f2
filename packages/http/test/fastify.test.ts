import type { RequestListener } from "node:http";
import { fixedWindow, ManualClock, toAsync } from "@sluice/core";
import { Gate, RateLimiter } from "@sluice/http";
import { gate, rateLimit } from "@sluice/http/fastify";
import { InMemoryBucket } from "@sluice/memory";
import Fastify, { type FastifyInstance, type FastifyPluginCallback, type FastifyRequest } from "fastify";
import { describe, expect, test, vi } from "vitest";
import { limitsIn, statuses } from "./support/ask.js";
import { listen } from "./support/listen.js";
import { describeServer, type Work } from "./support/server-suite.js";

/** What a server calls for each request. */
function serving(app: FastifyInstance): RequestListener {
  const ready = app.ready();
  return (request, response) => void ready.then(() => app.routing(request, response));
}

/** An app behind a plugin, which answers any request with what is worked out. */
function behind(plugin: FastifyPluginCallback, work: Work, onError = (_: unknown) => {}): RequestListener {
  const app = Fastify();
  void app.register(plugin);
  app.setErrorHandler((error, _request, reply) => {
    onError(error);
    return reply.code(500).send("failed");
  });
  // Whoever serves is given the body as it comes.
  app.addContentTypeParser("*", (_request, _body, done) => done(null));
  app.all("/*", (request) => work(request.raw));
  return serving(app);
}

/** An app behind several plugins. */
function behindAll(plugins: FastifyPluginCallback[], work: Work): RequestListener {
  const app = Fastify();
  for (const plugin of plugins) void app.register(plugin);
  app.get("/", (request) => work(request.raw));
  return serving(app);
}

describeServer("Fastify", {
  rateLimit: (limiter, work) => behind(rateLimit(limiter), work),
  gate: (entrance, work, onError) => behind(gate(entrance), work, onError),
  rateLimits: (limiters, work) =>
    behindAll(
      limiters.map((limiter) => rateLimit(limiter)),
      work,
    ),
  gateTwice: (entrance, work) => behindAll([gate(entrance), gate(entrance)], work),
});

describe("over Fastify", () => {
  test("holds for all routes of the instance, tells what is left, and refuses beyond it", async () => {
    const app = Fastify();
    const handler = vi.fn(() => "hello");
    app.get("/before", handler);
    await app.register(rateLimit({ rate: 1, burst: 3, clock: new ManualClock() }));
    app.get("/", handler);
    await app.register((child, _options, done) => {
      child.get("/child", handler);
      done();
    });
    await using server = await listen(serving(app));
    expect(limitsIn(await fetch(server.url))).toEqual(['"default";q=3;w=3', '"default";r=2;t=1', null]);
    expect((await fetch(`${server.url}/child`)).headers.get("ratelimit")).toBe('"default";r=1;t=2');
    expect((await fetch(`${server.url}/before`)).headers.get("ratelimit")).toBe('"default";r=0;t=3');
    const refused = await fetch(server.url);
    expect(refused.status).toBe(429);
    expect(limitsIn(refused)).toEqual(['"default";q=3;w=3', '"default";r=0;t=3', "1"]);
    expect(refused.headers.get("content-type")).toBe("application/problem+json");
    expect(await refused.json()).toMatchObject({ status: 429, "violated-policies": ["default"] });
    expect(handler).toHaveBeenCalledTimes(3);
  });

  test("stays within the instance that it is registered with, and several add up", async () => {
    const app = Fastify();
    await app.register(rateLimit({ rate: 1, burst: 4, name: "all" }));
    await app.register((api, _options, done) => {
      void api.register(rateLimit({ rate: 1, burst: 1, name: "api", fields: "draft-8" }));
      api.get("/api", () => "api");
      done();
    });
    app.get("/", () => "hello");
    await using server = await listen(serving(app));
    expect(await statuses(`${server.url}/api`, 2)).toEqual([200, 429]);
    expect(await statuses(server.url, 3)).toEqual([200, 200, 429]);
  });

  test("tells on errors and on what is not found, too", async () => {
    const app = Fastify();
    await app.register(rateLimit({ rate: 1, burst: 9 }));
    app.get("/fail", () => {
      throw new Error("mine");
    });
    await using server = await listen(serving(app));
    const [failed, missing] = [await fetch(`${server.url}/fail`), await fetch(`${server.url}/missing`)];
    expect([failed.status, missing.status]).toEqual([500, 404]);
    expect(failed.headers.get("ratelimit")).toBe('"default";r=8;t=1');
    expect(missing.headers.get("ratelimit")).toBe('"default";r=7;t=2');
  });

  test("goes by a limiter that answers by promises, and by functions of the request of Fastify", async () => {
    const app = Fastify();
    const bucket = toAsync(new InMemoryBucket("2/min", { algorithm: fixedWindow, clock: new ManualClock() }));
    const key = (request: FastifyRequest) => String(request.headers["x-user"]);
    await app.register(rateLimit({ limiter: bucket, key }));
    app.get("/", () => "hello");
    await using server = await listen(serving(app));
    expect(await statuses(server.url, 3, { headers: { "x-user": "ada" } })).toEqual([200, 200, 429]);
    expect(await statuses(server.url, 1, { headers: { "x-user": "bob" } })).toEqual([200]);
  });

  test("hands what a function throws to the error handler, whether or not the limiter answers at once", async () => {
    const key = () => {
      throw new Error("no key");
    };
    for (const limiter of [new InMemoryBucket("1/s"), toAsync(new InMemoryBucket("1/s"))]) {
      const app = Fastify();
      await app.register(rateLimit({ limiter, key }));
      app.get("/", () => "hello");
      app.setErrorHandler((error, _request, reply) => reply.code(500).send((error as Error).message));
      await using server = await listen(serving(app));
      const answer = await fetch(server.url);
      expect(answer.status).toBe(500);
      expect(await answer.text()).toBe("no key");
    }
  });

  test("closes what it made, and leaves open what it was given", async () => {
    const given = new RateLimiter<"sync", FastifyRequest>({ rate: 1 });
    const made = new InMemoryBucket("1/s");
    const app = Fastify();
    await app.register(rateLimit(given));
    await app.register(rateLimit({ limiter: made }));
    await app.ready();
    await app.close();
    expect(() => made.put({ key: "ada" })).toThrow(/closed/);
    expect(given.check({ headers: {}, socket: {} } as never).allowed).toBe(true);
    given.close();
  });

  test("and gate() serve several apps by one plugin: each app has its own, and closes no other", async () => {
    for (const plugin of [
      rateLimit({ rate: 0.001, burst: 1 }),
      gate({ rateLimit: { enabled: true, requestsPerSecond: 0.001, burst: 1 } }),
    ]) {
      const apps = [Fastify(), Fastify()];
      for (const app of apps) {
        await app.register(plugin);
        app.get("/", () => "hello");
        await app.ready();
      }
      for (const app of apps) {
        const codes = [(await app.inject("/")).statusCode, (await app.inject("/")).statusCode];
        expect(codes).toEqual([200, 429]);
        await app.close();
      }
    }
  });

  test("and gate() tell of options that cannot be where they are written", () => {
    expect(() => rateLimit({ rate: -1 })).toThrow(RangeError);
    expect(() => gate({ queue: { enabled: true, maxConcurrent: 0 } })).toThrow(RangeError);
  });

  test("and gate() work under inject", async () => {
    const app = Fastify();
    const entrance = new Gate<FastifyRequest>({ queue: { enabled: true, maxConcurrent: 1, maxDepth: 1 } });
    await app.register(rateLimit({ rate: 1, burst: 2 }));
    await app.register(gate(entrance));
    app.get("/", () => "hello");
    expect((await app.inject("/")).headers).toMatchObject({ ratelimit: '"default";r=1;t=1' });
    await vi.waitFor(() => expect(entrance.metrics.active).toBe(0));
    expect((await app.inject("/")).statusCode).toBe(200);
    expect((await app.inject("/")).statusCode).toBe(429);
    await app.close();
  });
});
