import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import {
  fixedWindow,
  LimiterError,
  ManualClock,
  SingleBucketFactory,
  slidingWindowLog,
  tokenBucket,
} from "@sluice/core";
import { type HttpRequest, RateLimiter, type Verdict } from "@sluice/http";
import { InMemoryBucket } from "@sluice/memory";
import type { Request as ExpressRequest } from "express";
import fc from "fast-check";
import type { FastifyRequest } from "fastify";
import { describe, expect, expectTypeOf, test } from "vitest";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

/** A request of the client at an address. */
function from(remoteAddress: string, headers: Record<string, string> = {}): HttpRequest {
  return { headers, socket: { remoteAddress } };
}

const ada = from("203.0.113.7");
const bob = from("203.0.113.8");

/** The value of a field of a verdict. */
function fieldOf(verdict: Verdict, name: string): string | undefined {
  return verdict.fields.find(([known]) => known === name)?.[1];
}

describe("RateLimiter", () => {
  test("admits a burst at once, then the rate, and tells what is left", () => {
    const clock = new ManualClock(NOW);
    using limiter = new RateLimiter({ rate: 2, burst: 3, clock });
    expect(limiter.check(ada)).toMatchObject({
      allowed: true,
      retryAfter: 0,
      fields: [
        ["RateLimit-Policy", '"default";q=3;w=2'],
        ["RateLimit", '"default";r=2;t=1'],
      ],
    });
    limiter.check(ada);
    limiter.check(ada);
    const refused = limiter.check(ada);
    expect(refused).toMatchObject({ allowed: false, retryAfter: 500, status: 429, degraded: false });
    expect(refused.fields).toEqual([
      ["RateLimit-Policy", '"default";q=3;w=2'],
      ["RateLimit", '"default";r=0;t=2'],
      ["Retry-After", "1"],
    ]);
    expect(JSON.parse(refused.body?.text ?? "")).toMatchObject({ status: 429, "violated-policies": ["default"] });
    clock.advance(499.999);
    expect(limiter.check(ada).allowed).toBe(false);
    clock.advance(0.001);
    expect(limiter.check(ada).allowed).toBe(true);
  });

  test("a new client starts full, whatever others did", () => {
    using limiter = new RateLimiter({ rate: 1, burst: 2, clock: new ManualClock() });
    while (limiter.check(ada).allowed);
    expect(limiter.check(bob).decisions[0]?.decision.remaining).toBe(1);
  });

  test("is 100 requests a second and 200 at once by default, and twice the rate at once", () => {
    for (const [options, item] of [
      [{}, '"default";q=200;w=2'],
      [{ rate: 10 }, '"default";q=20;w=2'],
      [{ rate: 0.1 }, '"default";q=1;w=10'],
      [{ rate: 2.5, burst: 10 }, '"default";q=10;w=4'],
      [{ rate: "100/min burst 20", name: "mine" }, '"mine";q=20;w=12'],
    ] as const) {
      using limiter = new RateLimiter({ ...options, clock: new ManualClock() });
      expect(fieldOf(limiter.check(ada), "RateLimit-Policy")).toBe(item);
    }
  });

  test("a rate that is a fraction refills by that fraction", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 1000, noNaN: true }), (rate) => {
        using limiter = new RateLimiter({ rate, burst: 1, clock: new ManualClock() });
        limiter.check(ada);
        const { retryAfter } = limiter.check(ada);
        expect(Math.abs(retryAfter - 1000 / rate)).toBeLessThanOrEqual(0.0021);
      }),
    );
  });

  test("requests of one IPv6 household, and of one IPv4 address in either form, share a quota", () => {
    using limiter = new RateLimiter({ rate: 1, burst: 1, clock: new ManualClock() });
    expect(limiter.check(from("2001:db8:1:2345::1")).allowed).toBe(true);
    expect(limiter.check(from("2001:db8:1:2346::2")).allowed).toBe(false);
    expect(limiter.check(ada).allowed).toBe(true);
    expect(limiter.check(from("::ffff:203.0.113.7")).allowed).toBe(false);
  });

  test("finds clients behind trusted proxies, and no others", () => {
    using limiter = new RateLimiter({ rate: 1, burst: 1, trustedHosts: ["10.0.0.0/8"], clock: new ManualClock() });
    expect(limiter.check(from("10.0.0.1", { "x-forwarded-for": "6.6.6.6, 203.0.113.7" })).allowed).toBe(true);
    expect(limiter.check(from("10.0.0.2", { "x-forwarded-for": "7.7.7.7, 203.0.113.7" })).allowed).toBe(false);
    expect(limiter.check(from("203.0.113.7", { "x-forwarded-for": "8.8.8.8" })).allowed).toBe(false);
  });

  test("costs what it says; what costs 0 is admitted, takes nothing and learns what is left", () => {
    const cost = ({ method }: HttpRequest) => (method === "POST" ? 3 : 0);
    using limiter = new RateLimiter({ rate: 1, burst: 4, cost, clock: new ManualClock() });
    const post = { ...ada, method: "POST" };
    expect(fieldOf(limiter.check(post), "RateLimit")).toBe('"default";r=1;t=3');
    expect(limiter.check(post)).toMatchObject({ allowed: false, retryAfter: 2000 });
    for (let i = 0; i < 9; i++) expect(fieldOf(limiter.check(ada), "RateLimit")).toBe('"default";r=1;t=3');
  });

  test("what costs more than the quota is refused for ever, without Retry-After", () => {
    using limiter = new RateLimiter({ rate: 1, burst: 4, cost: 5 });
    const verdict = limiter.check(ada);
    expect(verdict).toMatchObject({ allowed: false, retryAfter: Number.POSITIVE_INFINITY, status: 429 });
    expect(fieldOf(verdict, "Retry-After")).toBeUndefined();
    expect(fieldOf(verdict, "RateLimit")).toBe('"default";r=4;t=0');
  });

  test("skips what it is told to skip, and says nothing to it", () => {
    using limiter = new RateLimiter({ rate: 1, burst: 1, skip: ({ url }) => url === "/healthz" });
    for (let i = 0; i < 3; i++) {
      expect(limiter.check({ ...ada, url: "/healthz" })).toMatchObject({ allowed: true, decisions: [], fields: [] });
    }
    expect(limiter.metrics).toMatchObject({ admitted: 0, skipped: 3, tracked: 0 });
  });

  test("only looks on in shadow mode: refuses nobody, tells nobody, counts", () => {
    using limiter = new RateLimiter({ rate: 1, burst: 1, shadow: true, clock: new ManualClock() });
    const verdicts = [limiter.check(ada), limiter.check(ada), limiter.check(ada)];
    expect(verdicts.map(({ allowed, fields }) => [allowed, fields])).toEqual(Array(3).fill([true, []]));
    expect(verdicts.map(({ decisions }) => decisions[0]?.decision.allowed)).toEqual([true, false, false]);
    expect(limiter.metrics).toMatchObject({ admitted: 3, shadowed: 2, refused: 0 });
  });

  test("counts what it did, and whom it keeps", () => {
    using limiter = new RateLimiter({ rate: 1, burst: 1, clock: new ManualClock() });
    for (const request of [ada, ada, ada, bob]) limiter.check(request);
    expect(limiter.metrics).toEqual({
      admitted: 2,
      refused: 2,
      shadowed: 0,
      skipped: 0,
      storeErrors: 0,
      tracked: 2,
      evicted: 0,
    });
  });

  test("keeps at most maxTracked clients: others make room, and are counted", () => {
    using limiter = new RateLimiter({ rate: 1, burst: 2, maxTracked: 10, clock: new ManualClock() });
    for (let i = 0; i < 25; i++) limiter.check(from(`203.0.113.${i}`));
    expect(limiter.metrics).toMatchObject({ tracked: 10, evicted: 15 });
  });

  test("drops idle clients in the background, and no others", async () => {
    const clock = new ManualClock();
    using limiter = new RateLimiter({ rate: 1, burst: 20, clock });
    limiter.check(ada);
    for (let i = 0; i < 15; i++) limiter.check(bob);
    clock.advance(10_000);
    for (let i = 0; i < 10; i++) await undefined;
    expect(limiter.metrics).toMatchObject({ tracked: 1, evicted: 0 });
    expect(limiter.check(bob).decisions[0]?.decision.remaining).toBe(14);
  });

  test("no timer of it keeps the process alive", () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timers();
    using limiter = new RateLimiter();
    limiter.check(ada);
    expect(timers()).toBe(before);
  });

  test("other fields and bodies by option, from the clock that it is given", () => {
    const clock = new ManualClock(NOW);
    using limiter = new RateLimiter({ rate: 1, burst: 1, fields: ["draft-6", "legacy"], body: "text", clock });
    limiter.check(ada);
    const verdict = limiter.check(ada);
    expect(Object.fromEntries(verdict.fields)).toEqual({
      "RateLimit-Policy": "1;w=1",
      "RateLimit-Limit": "1",
      "RateLimit-Remaining": "0",
      "RateLimit-Reset": "1",
      "X-RateLimit-Limit": "1",
      "X-RateLimit-Remaining": "0",
      "X-RateLimit-Reset": String(NOW / 1000 + 1),
      "Retry-After": "1",
    });
    expect(verdict.body?.type).toBe("text/plain; charset=utf-8");
  });

  test("a key of one's own, and one quota for those who have none", () => {
    using limiter = new RateLimiter({ rate: 1, burst: 1, key: ({ url }) => url, clock: new ManualClock() });
    expect(limiter.check({ ...ada, url: "/a" }).allowed).toBe(true);
    expect(limiter.check({ ...ada, url: "/b" }).allowed).toBe(true);
    expect([limiter.check(ada).allowed, limiter.check(bob).allowed]).toEqual([true, false]);
  });

  test("works over a bucket, a factory and any algorithm, and tells its quota", () => {
    const clock = new ManualClock();
    const window = new InMemoryBucket("5/min", { algorithm: fixedWindow, clock });
    const log = new InMemoryBucket(["10/s", "12/min"], { algorithm: slidingWindowLog, clock });
    using overBucket = new RateLimiter({ limiter: window });
    expect(overBucket.check(ada).fields[0]).toEqual(["RateLimit-Policy", '"default";q=5;w=60']);
    using overFactory = new RateLimiter({ limiter: new SingleBucketFactory(log) });
    expect(overFactory.check(ada).fields[0]).toEqual(["RateLimit-Policy", '"default";q=10;w=1']);
    for (let i = 0; i < 8; i++) overFactory.check(ada);
    clock.advance(1000);
    // Of 9 used, 3 are left in this minute: that is what binds now.
    expect(overFactory.check(ada).fields).toEqual([
      ["RateLimit-Policy", '"default";q=12;w=60'],
      ["RateLimit", '"default";r=2;t=60'],
    ]);
    expect(overBucket.mode).toBe("sync");
  });

  test("r never exceeds q, nor is a refusal told as r above 0 for a request that costs 1", () => {
    const rate = fc.integer({ min: 1, max: 5 });
    const step = fc.integer({ min: 0, max: 3000 });
    fc.assert(
      fc.property(rate, rate, fc.array(step, { maxLength: 30 }), (perSecond, burst, steps) => {
        const clock = new ManualClock();
        using limiter = new RateLimiter({ rate: perSecond, burst, clock });
        for (const ms of steps) {
          clock.advance(ms);
          const verdict = limiter.check(ada);
          const [, q] = /q=(\d+)/.exec(fieldOf(verdict, "RateLimit-Policy") ?? "") ?? [];
          const [, r] = /r=(\d+)/.exec(fieldOf(verdict, "RateLimit") ?? "") ?? [];
          expect(Number(r)).toBeLessThanOrEqual(Number(q));
          if (!verdict.allowed) expect(r).toBe("0");
        }
      }),
    );
  });

  test("of several rates it tells the reset of the one that binds", () => {
    const clock = new ManualClock();
    const limiter = new RateLimiter({ rate: ["2/s", "1000/day"], clock });
    const check = () => limiter.check(ada);
    expect(check().fields).toEqual([
      ["RateLimit-Policy", '"default";q=2;w=1'],
      ["RateLimit", '"default";r=1;t=1'],
    ]);
    check();
    expect(check().fields.slice(1)).toEqual([
      ["RateLimit", '"default";r=0;t=1'],
      ["Retry-After", "1"],
    ]);
    const alone = new RateLimiter({ rate: "1000/day", clock });
    expect(alone.check(ada).fields[1]).toEqual(["RateLimit", '"default";r=999;t=87']);
  });

  test("closes what is beneath it, and may be closed twice", () => {
    const bucket = new InMemoryBucket("5/min", { algorithm: tokenBucket });
    const limiter = new RateLimiter({ limiter: bucket });
    limiter.close();
    limiter.close();
    expect(() => limiter.check(ada)).toThrow(LimiterError);
    expect(() => bucket.put({ key: "ada" })).toThrow(/closed/);
  });

  test("takes the requests of Node, Express and Fastify as they are", () => {
    expectTypeOf<IncomingMessage>().toExtend<HttpRequest>();
    expectTypeOf<Http2ServerRequest>().toExtend<HttpRequest>();
    expectTypeOf<ExpressRequest>().toExtend<HttpRequest>();
    expectTypeOf<FastifyRequest>().toExtend<HttpRequest>();
    expectTypeOf<{ headers: Headers }>().toExtend<HttpRequest>();
  });

  test("its types say whether it answers at once", () => {
    using limiter = new RateLimiter({ rate: 1 });
    expectTypeOf(limiter.check).returns.toEqualTypeOf<Verdict>();
    using keyed = new RateLimiter({ key: (request: HttpRequest & { user: string }) => request.user });
    expectTypeOf(keyed.check).parameter(0).toEqualTypeOf<HttpRequest & { user: string }>();
    const verdict: Verdict = limiter.check(ada);
    if (verdict.allowed) expectTypeOf(verdict.body).toEqualTypeOf<undefined>();
    else expectTypeOf(verdict.status).toEqualTypeOf<429 | 503>();
  });

  test.each([
    [{ rate: 0 }, RangeError],
    [{ rate: -1 }, RangeError],
    [{ rate: Number.NaN }, RangeError],
    [{ rate: "many" }, RangeError],
    [{ rate: true }, TypeError],
    [{ burst: 0 }, RangeError],
    [{ rate: "1/s", burst: 2 }, TypeError],
    [{ limiter: {} }, TypeError],
    [{ limiter: new InMemoryBucket("1/s"), rate: 1 }, TypeError],
    [{ maxTracked: 0 }, RangeError],
    [{ maxTracked: "10" }, TypeError],
    [{ cost: -1 }, RangeError],
    [{ cost: Number.NaN }, RangeError],
    [{ cost: "1" }, TypeError],
    [{ key: "ip" }, TypeError],
    [{ skip: true }, TypeError],
    [{ name: "bürst" }, TypeError],
    [{ fields: "draft-9" }, RangeError],
    [{ body: "html" }, RangeError],
    [{ onStoreError: "ignore" }, RangeError],
    [{ ipv6Prefix: 16 }, RangeError],
    [{ trustedHosts: ["proxy"] }, RangeError],
    [{ plans: {} }, TypeError],
    [{ policies: [] }, TypeError],
    [{ policies: [{ name: "a" }, { name: "a" }] }, TypeError],
    [{ policies: [{ rate: 1 }] }, TypeError],
    [{ policies: [{ name: "a" }], rate: 1 }, TypeError],
  ])("%o is refused", (options, kind) => {
    const build = () => new RateLimiter(options as never);
    expect(build).toThrow(kind);
    expect(build).toThrow(/^Cannot .+: .+\./s);
  });
});
