import { type AbstractBucket, fixedWindow, LimiterError, ManualClock, StoreError, withFallback } from "@sluice/core";
import { type HttpRequest, type OnStoreError, RateLimiter, type Verdict } from "@sluice/http";
import { InMemoryBucket } from "@sluice/memory";
import { describe, expect, expectTypeOf, test } from "vitest";
import { MapRemoteBucket } from "../../../test/conformance/map-remote-bucket.js";

const ada: HttpRequest = { headers: {}, socket: { remoteAddress: "203.0.113.7" } };
const away = () => Promise.reject(new Error("away"));
const near = async () => {};

/** A store across a wire, which can be broken. */
function store(rates = "3/min"): MapRemoteBucket {
  return new MapRemoteBucket(rates, { algorithm: fixedWindow });
}

/** A quota in this process before, and another after, one in a store. */
function around(middle: AbstractBucket<"async">, onStoreError: OnStoreError) {
  const clock = new ManualClock();
  const policies = [
    { name: "first", rate: 1, burst: 5 },
    { name: "stored", limiter: middle },
    { name: "last", rate: 1, burst: 5 },
  ];
  return new RateLimiter({ policies, onStoreError, clock });
}

/** What is left of each policy that answered. */
function left({ decisions }: Verdict): [string, number][] {
  return decisions.map(({ name, decision }) => [name, decision.remaining]);
}

/** A store that answers at once, and only ever fails. */
class Broken extends InMemoryBucket {
  protected override _apply(): never {
    throw new StoreError("Cannot put: the disk is full.");
  }
}

describe("RateLimiter over a store that answers by promises", () => {
  test("answers by promises, and its types say so", async () => {
    await using limiter = new RateLimiter({ limiter: store() });
    expectTypeOf(limiter).toEqualTypeOf<RateLimiter<"async">>();
    expectTypeOf(limiter.check).returns.toEqualTypeOf<Promise<Verdict>>();
    expect(limiter.mode).toBe("async");
    const verdicts = await Promise.all([1, 2, 3, 4].map(() => limiter.check(ada)));
    expect(verdicts.map(({ allowed }) => allowed)).toEqual([true, true, true, false]);
    expect(verdicts[3]?.fields).toEqual([
      ["RateLimit-Policy", '"default";q=3;w=60'],
      ["RateLimit", '"default";r=0;t=60'],
      ["Retry-After", "60"],
    ]);
    expect(limiter.metrics).toMatchObject({ admitted: 3, refused: 1, tracked: 0 });
  });

  test("goes together with quotas in this process: all or nothing", async () => {
    await using limiter = around(store("2/min"), "throw");
    expectTypeOf(limiter).toEqualTypeOf<RateLimiter<"async">>();
    await limiter.check(ada);
    await limiter.check(ada);
    const verdict = await limiter.check(ada);
    expect([verdict.allowed, left(verdict)]).toEqual([
      false,
      [
        ["first", 3],
        ["stored", 0],
        ["last", 3],
      ],
    ]);
  });

  test("what a function of the caller throws is a rejection", async () => {
    const key = (): string => {
      throw new Error("no user");
    };
    await using limiter = new RateLimiter({ limiter: store(), key });
    await expect(limiter.check(ada)).rejects.toThrow("no user");
    await using skipping = new RateLimiter({ limiter: store(), skip: key as never });
    await expect(skipping.check(ada)).rejects.toThrow("no user");
  });

  test("is closed when what is beneath is closed, and not before", async () => {
    class Stuck extends MapRemoteBucket {
      protected override _close(): Promise<void> {
        return Promise.reject(new Error("stuck"));
      }
    }
    const limiter = new RateLimiter({ limiter: new Stuck("1/s") });
    await expect(limiter.close()).rejects.toThrow("stuck");
  });

  test("a closed one rejects, and is not a store that failed", async () => {
    for (const onStoreError of ["throw", "open", "closed"] as const) {
      const limiter = new RateLimiter({ limiter: store(), onStoreError });
      await limiter.close();
      await limiter.close();
      await expect(limiter.check(ada)).rejects.toThrow(LimiterError);
      expect(limiter.metrics.storeErrors).toBe(0);
    }
  });
});

describe("a store that fails", () => {
  test("throws by default, after the others have got back what they gave", async () => {
    const bucket = store();
    await using limiter = around(bucket, "throw");
    bucket.travel = away;
    await expect(limiter.check(ada)).rejects.toThrow(StoreError);
    bucket.travel = near;
    expect(left(await limiter.check(ada))).toEqual([
      ["first", 4],
      ["stored", 2],
      ["last", 4],
    ]);
    expect(limiter.metrics).toMatchObject({ admitted: 1, storeErrors: 1 });
  });

  test("open: the other policies decide", async () => {
    const bucket = store();
    await using limiter = around(bucket, "open");
    bucket.travel = away;
    const verdict = await limiter.check(ada);
    expect(verdict).toMatchObject({ allowed: true, degraded: true });
    expect(verdict.fields[1]).toEqual(["RateLimit", '"first";r=4;t=1, "last";r=4;t=1']);
    for (let i = 0; i < 4; i++) await limiter.check(ada);
    expect(await limiter.check(ada)).toMatchObject({ allowed: false, status: 429 });
  });

  test("open: alone, everything is let through and nobody is told of a quota", async () => {
    const bucket = store();
    await using limiter = new RateLimiter({ limiter: bucket, onStoreError: "open" });
    bucket.travel = away;
    expect(await limiter.check(ada)).toMatchObject({ allowed: true, degraded: true, fields: [], decisions: [] });
    expect(limiter.metrics).toMatchObject({ admitted: 1, skipped: 0, storeErrors: 1 });
  });

  test("closed: 503 with reduced capacity, and the others have got back what they gave", async () => {
    const bucket = store();
    await using limiter = around(bucket, "closed");
    bucket.travel = away;
    const verdict = await limiter.check(ada);
    expect(verdict).toMatchObject({ allowed: false, status: 503, degraded: true, fields: [["Retry-After", "1"]] });
    expect(JSON.parse(verdict.body?.text ?? "").type).toContain("#temporary-reduced-capacity");
    bucket.travel = near;
    expect(left(await limiter.check(ada))).toEqual([
      ["first", 4],
      ["stored", 2],
      ["last", 4],
    ]);
    expect(limiter.metrics).toMatchObject({ admitted: 1, refused: 1, storeErrors: 1 });
  });

  test.each(["throw", "open", "closed"] as const)("%s: one that is known to be refused stays refused", async (mode) => {
    const bucket = store();
    const policies = [
      { name: "first", rate: 1, burst: 1 },
      { name: "stored", limiter: bucket },
    ];
    await using limiter = new RateLimiter({ policies, onStoreError: mode, clock: new ManualClock() });
    await limiter.check(ada);
    bucket.travel = away;
    expect(await limiter.check(ada)).toMatchObject({ allowed: false, status: 429, retryAfter: 1000 });
  });

  test("a failure to give back leaves the refusal standing", async () => {
    const bucket = store();
    const policies = [
      { name: "stored", limiter: bucket },
      { name: "last", rate: 1, burst: 1 },
    ];
    await using limiter = new RateLimiter({ policies, clock: new ManualClock() });
    await limiter.check(ada);
    let trips = 0;
    bucket.travel = () => (++trips === 2 ? away() : near());
    expect(await limiter.check(ada)).toMatchObject({ allowed: false, status: 429 });
    expect(limiter.metrics.storeErrors).toBe(1);
    expect(trips).toBe(2);
  });

  test.each(["throw", "closed"] as const)("%s: one that only looks on stops nobody", async (onStoreError) => {
    const bucket = store();
    bucket.travel = away;
    const shadow = { name: "shadow", limiter: bucket, shadow: true };
    await using beside = new RateLimiter({ policies: [shadow, { name: "own", rate: 1 }], onStoreError });
    expect(await beside.check(ada)).toMatchObject({ allowed: true, degraded: true });
    using alone = new RateLimiter({ limiter: new Broken("1/s"), shadow: true, onStoreError });
    expect(alone.check(ada)).toMatchObject({ allowed: true, degraded: true });
  });

  test("one that answers at once obeys the same option", () => {
    using open = new RateLimiter({ limiter: new Broken("1/s"), onStoreError: "open" });
    expect(open.check(ada)).toMatchObject({ allowed: true, degraded: true });
    using closed = new RateLimiter({ limiter: new Broken("1/s"), onStoreError: "closed" });
    expect(closed.check(ada)).toMatchObject({ allowed: false, status: 503 });
    using strict = new RateLimiter({ limiter: new Broken("1/s") });
    expect(() => strict.check(ada)).toThrow(StoreError);
    expect(strict.metrics.storeErrors).toBe(1);
  });

  test("what stands in for it is told as degraded, and under the quota of the policy", async () => {
    const bucket = store("100/min");
    const share = new InMemoryBucket("10/min", { algorithm: fixedWindow });
    await using limiter = new RateLimiter({ limiter: withFallback(bucket, share) });
    expect(await limiter.check(ada)).toMatchObject({ degraded: false });
    bucket.travel = away;
    const verdict = await limiter.check(ada);
    expect(verdict).toMatchObject({ allowed: true, degraded: true });
    expect(verdict.fields).toEqual([
      ["RateLimit-Policy", '"default";q=10;w=60'],
      ["RateLimit", '"default";r=9;t=60'],
    ]);
  });
});
