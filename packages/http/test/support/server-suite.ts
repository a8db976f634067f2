import type { IncomingMessage, RequestListener } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type Mode, StoreError, toAsync, tokenBucket } from "@sluice/core";
import { Gate, RateLimiter, type RateLimiterOptions, type RequestQueueOptions } from "@sluice/http";
import { InMemoryBucket } from "@sluice/memory";
import { describe, expect, test } from "vitest";
import { RawClient, storm, until } from "./clients.js";
import { listen } from "./listen.js";

/** What a server does with a request: the text that it answers. */
export type Work = (request: IncomingMessage) => string | Promise<string>;

/** An adapter in a real server, whose errors are answered with 500. */
export interface Mount {
  /** Serves behind a rate limiter. */
  rateLimit(limiter: RateLimiter<Mode>, work: Work): RequestListener;
  /** Serves behind one rate limiter after another. */
  rateLimits(limiters: RateLimiter[], work: Work): RequestListener;
  /** Serves behind a gate, and notes errors. */
  gate(gate: Gate, work: Work, onError: (error: unknown) => void): RequestListener;
  /** Serves behind the same gate twice, as where an app and a route of it share one. */
  gateTwice(gate: Gate, work: Work): RequestListener;
}

const never = () => new Promise<string>(() => {});
const hello = () => "hello";
const ignore = () => {};

/** What any adapter of a server on node:http must do, over real sockets. */
export function describeServer(name: string, mount: Mount): void {
  describe(`rateLimit() of ${name}`, () => {
    test.for([
      ["at once", { rate: 1, burst: 2 }],
      ["by promises", { limiter: toAsync(new InMemoryBucket("1/s burst 2", { algorithm: tokenBucket })) }],
    ] as [string, RateLimiterOptions<Mode>][])("tells what is left and answers 429, %s", async ([, options]) => {
      await using limiter = new RateLimiter<Mode>(options);
      let served = 0;
      await using server = await listen(mount.rateLimit(limiter, () => `served ${++served}`));
      for (const left of [1, 0]) {
        const response = await fetch(server.url);
        expect(await response.text()).toBe(`served ${2 - left}`);
        expect(response.status).toBe(200);
        expect(response.headers.get("RateLimit-Policy")).toBe('"default";q=2;w=2');
        expect(response.headers.get("RateLimit")).toMatch(`"default";r=${left};t=`);
      }
      const refused = await fetch(server.url);
      expect(refused.status).toBe(429);
      expect(refused.headers.get("Content-Type")).toBe("application/problem+json");
      expect(refused.headers.get("Retry-After")).toBe("1");
      expect(refused.headers.get("RateLimit")).toBe('"default";r=0;t=2');
      expect(await refused.json()).toMatchObject({ status: 429, "violated-policies": ["default"] });
      expect(served).toBe(2);
    });

    test("tells of several limits on one way in one list, also where one refuses", async () => {
      using all = new RateLimiter({ name: "all", rate: 0.001, burst: 5 });
      using route = new RateLimiter({ name: "route", rate: 0.001, burst: 1 });
      await using server = await listen(mount.rateLimits([all, route], hello));
      const policies = '"all";q=5;w=5000, "route";q=1;w=1000';
      for (const [status, limits] of [
        [200, '"all";r=4;t=1000, "route";r=0;t=1000'],
        [429, '"all";r=3;t=2000, "route";r=0;t=1000'],
      ] as const) {
        const response = await fetch(server.url);
        expect(response.status).toBe(status);
        expect(response.headers.get("RateLimit-Policy")).toBe(policies);
        expect(response.headers.get("RateLimit")).toBe(limits);
      }
    });

    test("answers a HEAD without a body", async () => {
      await using limiter = new RateLimiter({ rate: 1, burst: 1 });
      await using server = await listen(mount.rateLimit(limiter, hello));
      await fetch(server.url);
      const refused = await fetch(server.url, { method: "HEAD" });
      expect(refused.status).toBe(429);
      expect(await refused.text()).toBe("");
    });

    test.for([
      ["at once", false],
      ["by promises", true],
    ] as const)("answers the error of a store with 500, %s", async ([, isLater]) => {
      const broken = new InMemoryBucket("1/s");
      broken.put = () => {
        throw new StoreError("The store is away.");
      };
      await using limiter = new RateLimiter<Mode>({ limiter: isLater ? toAsync(broken) : broken });
      await using server = await listen(mount.rateLimit(limiter, hello));
      expect((await fetch(server.url)).status).toBe(500);
    });

    test("admits what the limit admits under load, and refuses the rest", async () => {
      await using limiter = new RateLimiter({ rate: 0.001, burst: 300 });
      await using server = await listen(mount.rateLimit(limiter, hello));
      const { statuses, errors } = await storm(server.url, 1000, 50);
      expect(statuses).toEqual({ 200: 300, 429: 700 });
      expect(errors).toBe(0);
    });
  });

  describe(`gate() of ${name}`, () => {
    const open = (maxConcurrent: number, options: Partial<RequestQueueOptions> = {}) =>
      new Gate({ queue: { enabled: true, maxConcurrent, ...options } });

    test("in a storm of 500 connections 200s and 503s add up, and no slot leaks", async () => {
      const gate = open(50, { maxDepth: 100 });
      let [atWork, most] = [0, 0];
      const work = async () => {
        most = Math.max(most, ++atWork);
        // The first ones take until the queue is full, however slowly the others come.
        do await sleep(5);
        while (gate.metrics.overloaded === 0);
        atWork--;
        return "served";
      };
      await using server = await listen(mount.gate(gate, work, ignore));
      const { statuses, errors } = await storm(server.url, 2000, 500);
      const { 200: served = 0, 503: refused = 0 } = statuses;
      expect(errors).toBe(0);
      expect(served + refused).toBe(2000);
      expect(refused).toBeGreaterThan(0);
      expect(gate.metrics).toMatchObject({ admitted: served, overloaded: refused, limited: 0, abandoned: 0 });
      expect(most).toBeLessThanOrEqual(50);
      await until(() => gate.metrics.active === 0);
      expect(gate.queue).toMatchObject({ active: 0, depth: 0 });
      expect(gate.queue?.metrics.peakActive).toBe(50);
      expect(gate.queue?.metrics.peakDepth).toBe(100);
    });

    test("a request that comes by the same gate twice is counted once, and does not wait for itself", async () => {
      const gate = new Gate({
        rateLimit: { enabled: true, requestsPerSecond: 0.001, burst: 4 },
        queue: { enabled: true, maxConcurrent: 1, maxWait: 2000 },
      });
      await using server = await listen(mount.gateTwice(gate, async () => "hello"));
      const answers = await Promise.all(Array.from({ length: 4 }, () => fetch(server.url)));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      expect(gate.metrics).toMatchObject({ admitted: 4, limited: 0, overloaded: 0 });
      expect((await fetch(server.url)).status).toBe(429);
      await until(() => gate.metrics.active === 0);
      expect(gate.queue).toMatchObject({ active: 0, depth: 0 });
    });

    test("limits each client before it may queue, and says so with a 503 too", async () => {
      const gate = new Gate({
        rateLimit: { enabled: true, requestsPerSecond: 0.001, burst: 2 },
        queue: { enabled: true, maxConcurrent: 1, maxWait: 0 },
      });
      await using server = await listen(mount.gate(gate, never, ignore));
      const client = (await RawClient.connect(server.port)).get("/");
      await until(() => gate.metrics.active === 1);
      const refused = await fetch(server.url);
      expect(refused.status).toBe(503);
      expect(refused.headers.get("RateLimit")).toContain("r=0;");
      expect(refused.headers.get("Retry-After")).toBe("1");
      expect(await refused.json()).toMatchObject({ status: 503, title: "Server overloaded" });
      expect((await fetch(server.url)).status).toBe(429);
      client.hangUp();
    });

    test("a client that hangs up gives its slot back, and one that waits for it gets it", async () => {
      const gate = open(1);
      const work: Work = ({ url }) => (url === "/never" ? never() : "hello");
      await using server = await listen(mount.gate(gate, work, ignore));
      const client = (await RawClient.connect(server.port)).get("/never");
      await until(() => gate.metrics.active === 1);
      const waiting = fetch(server.url);
      await until(() => gate.metrics.waiting === 1);
      client.hangUp();
      expect(await (await waiting).text()).toBe("hello");
      await until(() => gate.metrics.active === 0);
      expect(gate.queue).toMatchObject({ active: 0, depth: 0 });
    });

    test("a client that hangs up while it waits leaves the queue, and is not served", async () => {
      const gate = open(1);
      const served: (string | undefined)[] = [];
      const work: Work = ({ url }) => {
        served.push(url);
        return never();
      };
      const errors: unknown[] = [];
      await using server = await listen(mount.gate(gate, work, (error) => errors.push(error)));
      const first = (await RawClient.connect(server.port)).get("/first");
      await until(() => gate.metrics.active === 1);
      const second = (await RawClient.connect(server.port)).get("/second");
      await until(() => gate.metrics.waiting === 1);
      second.hangUp();
      await until(() => gate.metrics.abandoned === 1);
      expect(gate.metrics.waiting).toBe(0);
      first.hangUp();
      await until(() => gate.metrics.active === 0);
      expect(served).toEqual(["/first"]);
      expect(errors).toEqual([]);
    });

    test("a client that hangs up in the midst of its body gives its slot back, served or waiting", async () => {
      const gate = open(1);
      await using server = await listen(mount.gate(gate, never, ignore));
      const clients = [await RawClient.connect(server.port), await RawClient.connect(server.port)];
      for (const client of clients) client.postHalf("/");
      await until(() => gate.metrics.active === 1 && gate.metrics.waiting === 1);
      for (const client of clients) client.hangUp();
      await until(() => gate.metrics.active === 0 && gate.metrics.waiting === 0);
      expect(gate.queue).toMatchObject({ active: 0, depth: 0 });
    });

    test("pipelined requests are served in turn, whatever the order of the queue", async () => {
      const gate = open(1, { order: "newest-first" });
      await using server = await listen(mount.gate(gate, async () => "hello", ignore));
      const paths = ["/1", "/2", "/3", "/4", "/5"];
      const clients = [await RawClient.connect(server.port), await RawClient.connect(server.port)];
      for (const client of clients) client.get(...paths);
      await until(() => clients.every(({ statuses }) => statuses.length === 5));
      expect(gate.metrics).toMatchObject({ admitted: 10 });
      await until(() => gate.metrics.active === 0);
      expect(gate.queue).toMatchObject({ active: 0, depth: 0 });
      for (const client of clients) client.hangUp();
    });

    test("a client that pipelines and hangs up leaves nothing behind", async () => {
      const gate = open(3);
      await using server = await listen(mount.gate(gate, never, ignore));
      const client = (await RawClient.connect(server.port)).get("/1", "/2", "/3", "/4");
      await until(() => gate.metrics.active > 0);
      client.hangUp();
      await until(() => gate.metrics.active === 0 && gate.metrics.waiting === 0);
      expect(gate.metrics.admitted).toBe(1);
    });

    test("a handler that fails gives its slot back", async () => {
      const gate = open(1);
      const work: Work = ({ url }) => {
        if (url === "/bad") throw new Error("The handler failed.");
        return "hello";
      };
      await using server = await listen(mount.gate(gate, work, ignore));
      expect((await fetch(`${server.url}/bad`)).status).toBe(500);
      expect(await (await fetch(server.url)).text()).toBe("hello");
      await until(() => gate.metrics.active === 0);
      expect(gate.queue?.active).toBe(0);
    });

    test("what the rate limiter throws is answered with 500, and holds no slot", async () => {
      const key = () => {
        throw new Error("There is no user.");
      };
      const gate = new Gate({ rateLimit: { enabled: true, key }, queue: { enabled: true, maxConcurrent: 1 } });
      await using server = await listen(mount.gate(gate, hello, ignore));
      expect((await fetch(server.url)).status).toBe(500);
      expect(gate.queue?.active).toBe(0);
    });

    test("asks a store that answers by promises, also under load", async () => {
      const bucket = new InMemoryBucket("1/h burst 300", { algorithm: tokenBucket });
      const rateLimit = new RateLimiter({ limiter: toAsync(bucket) });
      const gate = new Gate({ rateLimit, queue: { enabled: true, maxConcurrent: 2 } });
      await using server = await listen(mount.gate(gate, hello, ignore));
      const { statuses, errors } = await storm(server.url, 600, 20);
      expect(statuses).toEqual({ 200: 300, 429: 300 });
      expect(errors).toBe(0);
      await until(() => gate.metrics.active === 0);
    });
  });
}
