import { type Algorithm, leakyBucket, ManualClock, Rate, slidingWindowCounter, tokenBucket } from "@sluice/core";
import { ExpressStore, type OpenBucket } from "@sluice/http/express-store";
import { InMemoryBucket } from "@sluice/memory";
import express, { type RequestHandler } from "express";
import { type Options, rateLimit } from "express-rate-limit";
import { describe, expect, test, vi } from "vitest";
import { statuses } from "./support/ask.js";
import { listen } from "./support/listen.js";
import { stores } from "./support/opened.js";

const MINUTE = 60_000;
const inMemory: OpenBucket = (rates, options) => new InMemoryBucket(rates, options);

/** An Express app behind the middleware, which answers `/fail` with 500. */
function app(middleware: RequestHandler) {
  const served = express().use(middleware);
  served.get("/fail", (_request, response) => void response.status(500).send("no"));
  served.get("/", (_request, response) => void response.send("hello"));
  return listen(served as never);
}

describe.each(stores())("ExpressStore over %s", (_name, open, clock) => {
  test("counts hits by key, until the window that opened with the first one ends", async () => {
    const store = new ExpressStore(open);
    store.init({ windowMs: MINUTE });
    const before = Date.now();
    expect((await store.increment("ada")).totalHits).toBe(1);
    clock.advance(MINUTE / 2);
    const { totalHits, resetTime } = await store.increment("ada");
    expect(totalHits).toBe(2);
    expect(resetTime.getTime() - before).toBeGreaterThanOrEqual(MINUTE / 2);
    expect(resetTime.getTime() - Date.now()).toBeLessThanOrEqual(MINUTE / 2);
    expect((await store.increment("bob")).totalHits).toBe(1);
    clock.advance(MINUTE / 2);
    expect((await store.increment("ada")).totalHits).toBe(1);
    await store.shutdown();
  });

  test("takes hits back, tells them, and forgets one key or all", async () => {
    const store = new ExpressStore(open, { prefix: "login:" });
    store.init({ windowMs: MINUTE });
    expect(await store.get("ada")).toBeUndefined();
    await store.increment("ada");
    await store.increment("ada");
    await store.decrement("ada");
    expect(await store.get("ada")).toMatchObject({ totalHits: 1, resetTime: expect.any(Date) });
    expect((await store.increment("ada")).totalHits).toBe(2);
    await store.increment("bob");
    await store.resetKey("ada");
    expect(await store.get("ada")).toBeUndefined();
    expect(await store.get("bob")).toMatchObject({ totalHits: 1 });
    await store.resetAll();
    expect(await store.get("bob")).toBeUndefined();
    await store.decrement("bob");
    expect((await store.increment("bob")).totalHits).toBe(1);
    await store.shutdown();
  });

  test("lets the middleware refuse beyond its limit, with fields that are true", async () => {
    const store = new ExpressStore(open);
    await using server = await app(rateLimit({ windowMs: MINUTE, limit: 3, standardHeaders: "draft-6", store }));
    expect(await statuses(server.url, 3)).toEqual([200, 200, 200]);
    clock.advance(MINUTE / 2);
    const refused = await fetch(server.url);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("ratelimit-policy")).toBe("3;w=60");
    expect(refused.headers.get("ratelimit-remaining")).toBe("0");
    expect(refused.headers.get("ratelimit-reset")).toBe("30");
    expect(refused.headers.get("retry-after")).toBe("30");
    clock.advance(MINUTE / 2);
    expect(await statuses(server.url, 4)).toEqual([200, 200, 200, 429]);
    await store.shutdown();
  });

  test("a flood gets what the limit says, and no more", async () => {
    const store = new ExpressStore(open);
    await using server = await app(rateLimit({ windowMs: MINUTE, limit: 5, store }));
    const answers = await Promise.all(Array.from({ length: 100 }, () => fetch(server.url)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(95);
    await store.shutdown();
  });
});

describe("express-rate-limit over an ExpressStore", () => {
  test("may have another limit for each request", async () => {
    const store = new ExpressStore(inMemory);
    const limit = ((request) => (request.url.endsWith("paid") ? 4 : 2)) as Options["limit"];
    await using server = await app(rateLimit({ windowMs: MINUTE, limit, store }));
    expect(await statuses(server.url, 3)).toEqual([200, 200, 429]);
    expect(await statuses(`${server.url}/?paid`, 2)).toEqual([200, 429]);
    await store.shutdown();
  });

  test("gives back what failed, and what is refused with it", async () => {
    const store = new ExpressStore(inMemory);
    await using server = await app(rateLimit({ windowMs: MINUTE, limit: 2, skipFailedRequests: true, store }));
    expect(await statuses(`${server.url}/fail`, 5)).toEqual([500, 500, 500, 500, 500]);
    expect(await statuses(server.url, 4)).toEqual([200, 200, 429, 429]);
    expect(await store.get("127.0.0.1")).toMatchObject({ totalHits: 2 });
    await store.shutdown();
  });

  test("finds nothing to complain of: two stores of one bucket, with prefixes, count one request each", async () => {
    const logger = { error: vi.fn(), warn: vi.fn() };
    const clock = new ManualClock();
    const shared = new InMemoryBucket(new Rate(1_000_000_000, MINUTE), {
      algorithm: slidingWindowCounter,
      clock,
    });
    const [burst, all] = ["burst:", "all:"].map((prefix) => new ExpressStore(() => shared, { prefix }));
    const limits = [
      rateLimit({ windowMs: MINUTE, limit: 1, store: burst as ExpressStore, logger }),
      rateLimit({ windowMs: MINUTE, limit: 3, store: all as ExpressStore, logger }),
    ];
    const served = express()
      .use(limits)
      .use("/", (_request, response) => void response.send("hello"));
    await using server = await listen(served as never);
    expect(await statuses(server.url, 2)).toEqual([200, 429]);
    expect(logger.error).not.toHaveBeenCalled();
    expect(logger.warn).not.toHaveBeenCalled();
    expect(await all?.get("127.0.0.1")).toMatchObject({ totalHits: 1 });
    await burst?.shutdown();
  });

  test("hears of a bucket that cannot count, and serves nobody by it", async () => {
    const logger = { error: vi.fn(), warn: vi.fn() };
    const bad: [OpenBucket | InMemoryBucket, RegExp][] = [
      [() => new InMemoryBucket("100/min"), /asked for fixed-window of 1000000000\/1m/],
      [(rates) => new InMemoryBucket(rates, { algorithm: tokenBucket }), /Cannot count in token-bucket/],
      [new InMemoryBucket("100/min"), /Pass limit: 100/],
    ];
    for (const [target, rule] of bad) {
      const store = new ExpressStore(target);
      rateLimit({ windowMs: MINUTE, limit: 5, store, logger });
      expect(() => store.increment("ada")).toThrow(rule);
    }
    expect(logger.error).toHaveBeenCalledTimes(3);
    expect(() => new ExpressStore(inMemory).increment("ada")).toThrow(/Pass the store to rateLimit first/);
    expect(() => new ExpressStore("100/min" as never)).toThrow(TypeError);
  });
});

describe("ExpressStore over a bucket with rates of its own", () => {
  test.each<[Algorithm]>([[tokenBucket], [leakyBucket]])("lets the $name decide", async (algorithm) => {
    const clock = new ManualClock();
    const store = new ExpressStore(new InMemoryBucket("60/min burst 3", { algorithm, clock }));
    await using server = await app(rateLimit({ windowMs: MINUTE, limit: 3, standardHeaders: "draft-6", store }));
    expect(await statuses(server.url, 3)).toEqual([200, 200, 200]);
    const refused = await fetch(server.url);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("1");
    clock.advance(1000);
    expect(await statuses(server.url, 2)).toEqual([200, 429]);
    expect(await store.get("127.0.0.1")).toMatchObject({ totalHits: 3 });
    await store.resetKey("127.0.0.1");
    expect(await statuses(server.url, 1)).toEqual([200]);
    await store.shutdown();
  });

  test("refuses a limit that is not the bucket's, and to give back what took nothing", () => {
    const store = () => new ExpressStore(new InMemoryBucket("60/min burst 3", { algorithm: tokenBucket }));
    expect(() => store().init({ windowMs: MINUTE, limit: 60 })).toThrow(/Pass limit: 3/);
    expect(() => store().init({ windowMs: MINUTE, limit: () => 3 })).toThrow(RangeError);
    expect(() => store().init({ windowMs: MINUTE, limit: 3, skipFailedRequests: true })).toThrow(/took nothing/);
  });
});
