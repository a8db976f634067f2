import { Limiter, ManualClock, Rate, RoutingBucketFactory, tokenBucket } from "@sluice/core";
import { byHeader, type HttpRequest, type PolicyOptions, RateLimiter, type RateLimiterOptions } from "@sluice/http";
import { InMemoryBucket } from "@sluice/memory";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

/** A request of one client with an API key. */
function by(key: string, remoteAddress = "203.0.113.7"): HttpRequest {
  return { headers: { "x-api-key": key }, socket: { remoteAddress } };
}

const perKey = byHeader("x-api-key");

/** What is left of each policy, by what a request that costs nothing is told. */
function left(limiter: RateLimiter, request: HttpRequest): (number | undefined)[] {
  return limiter.check(request).decisions.map(({ decision }) => decision.remaining);
}

/** A limiter of several policies on a clock that stands still until it is told to go on. */
function limitBy(policies: readonly PolicyOptions[], options: RateLimiterOptions = {}) {
  const clock = new ManualClock();
  return { clock, limiter: new RateLimiter({ policies, clock, ...options }) };
}

describe("several policies", () => {
  const both = [
    { name: "burst", rate: 1, burst: 2 },
    { name: "daily", rate: "3/day", key: perKey },
  ];

  test("all of them must admit, and clients are told of each", () => {
    const { limiter, clock } = limitBy(both);
    expect(limiter.check(by("ada")).fields).toEqual([
      ["RateLimit-Policy", '"burst";q=2;w=2, "daily";q=3;w=86400'],
      ["RateLimit", '"burst";r=1;t=1, "daily";r=2;t=28800'],
    ]);
    limiter.check(by("ada"));
    expect(limiter.check(by("ada"))).toMatchObject({ allowed: false, retryAfter: 1000 });
    clock.advance(10_000);
    limiter.check(by("ada"));
    const refused = limiter.check(by("ada"));
    expect(refused).toMatchObject({ allowed: false, retryAfter: 28_790_000 });
    expect(JSON.parse(refused.body?.text ?? "")).toMatchObject({ "violated-policies": ["daily"] });
  });

  test("when a later one refuses, the earlier ones have taken nothing", () => {
    const { limiter } = limitBy([
      { name: "address", rate: 1, burst: 10 },
      { name: "key", rate: 1, burst: 1, key: perKey },
    ]);
    limiter.check(by("ada"));
    for (let i = 0; i < 5; i++) expect(limiter.check(by("ada")).allowed).toBe(false);
    const verdict = limiter.check(by("ada"));
    expect(verdict.fields[1]).toEqual(["RateLimit", '"address";r=9;t=1, "key";r=0;t=1']);
    expect(limiter.check(by("bob")).decisions[0]?.decision.remaining).toBe(8);
  });

  test("when an earlier one refuses, the later ones have taken nothing, and the wait is that of all", () => {
    const { limiter, clock } = limitBy([
      { name: "second", rate: 1, burst: 1 },
      { name: "hour", rate: "2/h burst 1" },
      { name: "day", rate: "5/day" },
    ]);
    limiter.check(by("ada"));
    const verdict = limiter.check(by("ada"));
    expect(verdict).toMatchObject({ allowed: false, retryAfter: 1_800_000 });
    expect(JSON.parse(verdict.body?.text ?? "")["violated-policies"]).toEqual(["second", "hour"]);
    expect(verdict.decisions.map(({ decision }) => decision.remaining)).toEqual([0, 0, 4]);
    clock.advance(1_799_999);
    expect(limiter.check(by("ada")).allowed).toBe(false);
    clock.advance(1);
    expect(limiter.check(by("ada")).allowed).toBe(true);
  });

  test("of those that are only asked it tells how things are, not how they would be after the request", () => {
    const { limiter, clock } = limitBy([
      { name: "second", rate: 1, burst: 1 },
      { name: "day", rate: "5/day", cost: 2 },
    ]);
    const told = () => limiter.check(by("ada")).fields[1]?.[1];
    expect(told()).toBe('"second";r=0;t=1, "day";r=3;t=34560');
    expect(told()).toBe('"second";r=0;t=1, "day";r=3;t=34560');
    clock.advance(1000);
    told();
    expect(limiter.check(by("ada"))).toMatchObject({
      retryAfter: 86_400_000 / 5 - 1000,
      decisions: [{ decision: { remaining: 0 } }, { decision: { allowed: false, remaining: 1 } }],
    });
    expect(limiter.check(by("bob", "203.0.113.8")).allowed).toBe(true);
  });

  test("a refusal changes nothing, whichever of them refuse", () => {
    const rate = fc.integer({ min: 1, max: 4 });
    const step = fc.record({ ms: fc.integer({ min: 0, max: 2000 }), cost: fc.integer({ min: 0, max: 3 }) });
    fc.assert(
      fc.property(
        fc.array(rate, { minLength: 2, maxLength: 4 }),
        fc.array(step, { maxLength: 30 }),
        (bursts, steps) => {
          let cost = 0;
          const policies = bursts.map((burst, index) => ({ name: `p${index}`, rate: burst, burst: burst + 1 }));
          const { limiter, clock } = limitBy(policies, { cost: () => cost });
          for (const next of steps) {
            clock.advance(next.ms);
            cost = 0;
            const before = left(limiter, by("ada"));
            cost = next.cost;
            const verdict = limiter.check(by("ada"));
            cost = 0;
            const taken = verdict.allowed ? next.cost : 0;
            expect(left(limiter, by("ada"))).toEqual(before.map((units = 0) => units - taken));
            expect(verdict.allowed).toBe(before.every((units = 0) => units >= next.cost));
          }
        },
      ),
    );
  });

  test("have keys, costs and skips of their own, and what stands beside them is their default", () => {
    const policies: PolicyOptions[] = [
      { name: "all", rate: 1, burst: 10 },
      { name: "writes", rate: 1, burst: 10, cost: 5, skip: ({ method }) => method === "GET" },
    ];
    const { limiter } = limitBy(policies, { key: perKey, cost: 2, skip: ({ url }) => url === "/healthz" });
    expect(limiter.check(by("ada")).decisions.map(({ decision }) => decision.remaining)).toEqual([8, 5]);
    const read = limiter.check({ ...by("ada", "192.0.2.1"), method: "GET" });
    expect(read.decisions.map(({ name, decision }) => [name, decision.remaining])).toEqual([["all", 6]]);
    expect(limiter.check({ ...by("ada"), url: "/healthz" }).decisions).toEqual([]);
    expect(limiter.metrics).toMatchObject({ admitted: 2, skipped: 1 });
  });

  test("a request that each of them skips counts as skipped", () => {
    const skip = () => true;
    const { limiter } = limitBy([
      { name: "a", skip },
      { name: "b", skip },
    ]);
    expect(limiter.check(by("ada"))).toMatchObject({ allowed: true, fields: [] });
    expect(limiter.metrics).toMatchObject({ admitted: 0, skipped: 1 });
  });

  test("one that only looks on counts as if it bound, refuses nobody, and takes nothing where another refuses", () => {
    const { limiter, clock } = limitBy([
      { name: "strict", rate: 1, burst: 2, shadow: true },
      { name: "loose", rate: 1, burst: 3 },
    ]);
    const verdicts = [1, 2, 3, 4].map(() => limiter.check(by("ada")));
    expect(verdicts.map(({ allowed }) => allowed)).toEqual([true, true, true, false]);
    expect(verdicts[0]?.fields[0]).toEqual(["RateLimit-Policy", '"loose";q=3;w=3']);
    expect(verdicts[2]?.decisions.map(({ name, shadow, decision }) => [name, shadow, decision.allowed])).toEqual([
      ["strict", true, false],
      ["loose", false, true],
    ]);
    expect(limiter.metrics).toMatchObject({ admitted: 3, refused: 1, shadowed: 1 });
    clock.advance(1000);
    limiter.check(by("ada"));
    limiter.check(by("ada"));
    clock.advance(1000);
    expect(limiter.check(by("ada")).decisions[0]?.decision.allowed).toBe(true);
  });

  test("one that only looks on is not asked about a request that is refused already", () => {
    const { limiter } = limitBy([
      { name: "bound", rate: 1, burst: 1 },
      { name: "shadow", rate: 1, burst: 1, shadow: true },
    ]);
    limiter.check(by("ada"));
    expect(limiter.check(by("ada")).decisions.map(({ name }) => name)).toEqual(["bound"]);
    expect(limiter.metrics).toMatchObject({ refused: 1, shadowed: 0 });
  });

  test("a key that cannot be found leaves every quota as it was", () => {
    const key = ({ url }: HttpRequest): string => {
      if (url === undefined) throw new Error("no user");
      return url;
    };
    const { limiter } = limitBy([
      { name: "address", rate: 1, burst: 5 },
      { name: "user", rate: 1, burst: 5, key },
    ]);
    expect(() => limiter.check(by("ada"))).toThrow("no user");
    expect(limiter.check({ ...by("ada"), url: "/ada" }).decisions[0]?.decision.remaining).toBe(4);
  });
});

describe("plans", () => {
  const plan = ({ headers }: HttpRequest) => perKey({ headers });

  test("each has a limit of its own, under the policy's name", () => {
    const plans = { free: { rate: 1, burst: 2 }, paid: { rate: "100/min" } };
    using limiter = new RateLimiter({ plan, plans, clock: new ManualClock() });
    expect(limiter.check(by("free")).fields[0]).toEqual(["RateLimit-Policy", '"default";q=2;w=2']);
    expect(limiter.check(by("paid")).fields[0]).toEqual(["RateLimit-Policy", '"default";q=100;w=60']);
    expect(limiter.check(by("free")).decisions[0]?.decision.remaining).toBe(0);
    expect(limiter.metrics.tracked).toBe(2);
  });

  test("a request without a plan falls under the policy's own limit, if it has one", () => {
    using limiter = new RateLimiter({ rate: 1, burst: 7, plan, plans: { free: { rate: 1 } } });
    expect(limiter.check({ headers: {} }).decisions[0]?.quota).toBe(7);
    using strict = new RateLimiter({ plan, plans: { free: { rate: 1 } } });
    expect(() => strict.check({ headers: {} })).toThrow(/by the plan undefined: the plans are "free"\. Add it/);
    expect(() => strict.check(by("__proto__"))).toThrow(RangeError);
  });

  test("may be the buckets of a routing factory: clients are told of the one that decided", () => {
    const clock = new ManualClock();
    const open = (limit: number) =>
      new InMemoryBucket(new Rate(limit, 60_000, 2 * limit), { algorithm: tokenBucket, clock });
    const factory = new RoutingBucketFactory({
      route: ({ key }) => (key === "ada" ? "paid" : "free"),
      buckets: { free: open(10), paid: open(1000) },
    });
    using limiter = new RateLimiter({ limiter: new Limiter(factory), key: perKey });
    for (let round = 0; round < 2; round++) {
      expect(limiter.check(by("bob")).fields[0]).toEqual(["RateLimit-Policy", '"default";q=20;w=120']);
      expect(limiter.check(by("ada")).fields[0]).toEqual(["RateLimit-Policy", '"default";q=2000;w=120']);
    }
  });
});
