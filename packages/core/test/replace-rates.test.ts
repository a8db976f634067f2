import { ALGORITHMS } from "@sluice/conformance";
import { type AbstractBucket, type Algorithm, ManualClock, StoreError, tokenBucket } from "@sluice/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MapRemoteBucket, type MapServer } from "../../../test/conformance/map-remote-bucket.js";

const OLD = "40/min";
const NEW = "90/min";

/** Processes that share a store. */
function processes(count: number, algorithm: Algorithm, travel: () => Promise<void> = async () => {}) {
  const clock = new ManualClock(600_000);
  const server: MapServer = new Map();
  const open = (rates: string) => new MapRemoteBucket(rates, { algorithm }, clock, server);
  const buckets = Array.from({ length: count }, () => {
    const bucket = open(OLD);
    bucket.travel = travel;
    return bucket;
  });
  return { clock, server, open, buckets };
}

describe.each(ALGORITHMS)("replaceRates() of several processes under $name", (algorithm) => {
  test("carries each unit over once, whatever comes between", async () => {
    const put = fc.record({
      process: fc.nat(1),
      key: fc.constantFrom("ada", "bob"),
      weight: fc.integer({ min: 1, max: 9 }),
    });
    const history = fc.record({
      puts: fc.array(put, { minLength: 5, maxLength: 25 }),
      replaceAt: fc.tuple(fc.nat(25), fc.nat(25)),
    });
    const one = fc.asyncProperty(fc.scheduler(), history, async (scheduler, { puts, replaceAt }) => {
      const { buckets, open } = processes(2, algorithm, () => scheduler.schedule(Promise.resolve()));
      const used: Record<string, number> = { ada: 0, bob: 0 };
      const calls: Promise<unknown>[] = [];
      for (let i = 0; i <= 25; i++) {
        for (const [place, bucket] of buckets.entries()) {
          if (replaceAt[place] === i) calls.push(bucket.replaceRates(NEW, "keep"));
        }
        const { process, key, weight } = puts[i] ?? { process: 0, key: "ada", weight: 0 };
        const decided = (buckets[process] as MapRemoteBucket).put({ key, weight });
        calls.push(decided.then(({ allowed }) => (used[key] = (used[key] as number) + (allowed ? weight : 0))));
        // Some of what is underway arrives.
        if (i % 3 === 0 && scheduler.count() > 0) await scheduler.waitOne();
      }
      await scheduler.waitFor(Promise.all(calls));
      for (const key of ["ada", "bob"]) {
        await scheduler.waitFor(Promise.all(buckets.map((bucket) => bucket.count(key))));
        expect(await open(NEW).count(key)).toBe(used[key]);
        expect(await open(OLD).count(key)).toBe(0);
      }
    });
    await fc.assert(one, { numRuns: 150 });
  });
});

describe("replaceRates()", () => {
  test("lets what is underway arrive under the old rates before it looks at them", async () => {
    const gates: (() => void)[] = [];
    const { buckets } = processes(1, tokenBucket, () => new Promise((resolve) => gates.push(resolve)));
    const [bucket] = buckets as [MapRemoteBucket];
    const underway = bucket.put({ key: "ada", weight: 30 });
    const replaced = bucket.replaceRates(NEW, "keep");
    const next = bucket.put({ key: "ada", weight: 70 });
    const pump = setInterval(() => gates.shift()?.(), 1);
    expect((await underway).allowed).toBe(true);
    await replaced;
    expect((await next).allowed).toBe(false);
    clearInterval(pump);
  });

  test("looks at a key again when its store was away", async () => {
    const { buckets } = processes(1, tokenBucket);
    const [bucket] = buckets as [MapRemoteBucket];
    await bucket.put({ key: "ada", weight: 30 });
    await bucket.replaceRates(NEW, "keep");
    bucket.travel = () => Promise.reject(new Error("away"));
    await expect(bucket.put({ key: "ada" })).rejects.toThrow(StoreError);
    bucket.travel = async () => {};
    expect((await bucket.put({ key: "ada" })).remaining).toBe(59);
  });

  test("asks nothing of the old cells once two capacities have flowed back", async () => {
    const { buckets, clock } = processes(1, tokenBucket);
    const [bucket] = buckets as [MapRemoteBucket];
    await bucket.replaceRates(NEW, "keep");
    let trips = 0;
    bucket.travel = async () => void trips++;
    await bucket.put({ key: "ada" });
    expect(trips).toBe(2);
    await bucket.put({ key: "ada" });
    expect(trips).toBe(3);
    clock.advance(119_999);
    await bucket.put({ key: "bob" });
    expect(trips).toBe(5);
    clock.advance(1);
    await bucket.put({ key: "eve" });
    expect(trips).toBe(6);
  });

  test("goes back to rates whose cells are still there", async () => {
    const { buckets } = processes(1, tokenBucket);
    const [bucket] = buckets as [MapRemoteBucket];
    for (const key of ["ada", "bob"]) await bucket.put({ key, weight: 30 });
    await bucket.replaceRates(NEW, "proportional");
    await bucket.put({ key: "ada", weight: 9 });
    await bucket.replaceRates("60/min", "keep");
    await bucket.replaceRates(OLD, "proportional");
    // 30 of 40 are 67.5 of 90; with 9 more 76.5, which stay that in 60, and are 51 of 40.
    expect(await bucket.count("ada")).toBe(51);
    expect(await bucket.count("bob")).toBe(30);
    await bucket.put({ key: "bob" });
    expect(await bucket.count("bob")).toBe(31);
  });

  test("a reset holds when older rates come back by keep", async () => {
    const { buckets } = processes(1, tokenBucket);
    const [bucket] = buckets as [MapRemoteBucket];
    await bucket.put({ key: "ada", weight: 30 });
    await bucket.replaceRates(NEW, "keep");
    await bucket.put({ key: "ada", weight: 10 });
    await bucket.put({ key: "bob", weight: 10 });
    await bucket.replaceRates("60/min", "reset");
    await bucket.put({ key: "ada", weight: 5 });
    await bucket.replaceRates(OLD, "keep");
    expect([await bucket.count("ada"), await bucket.count("bob")]).toEqual([5, 0]);
    await bucket.replaceRates(NEW, "proportional");
    expect(await bucket.count("bob")).toBe(0);
  });

  test("a reset that comes with keep at its heels does not let the old cells through", async () => {
    const { buckets } = processes(1, tokenBucket);
    const [bucket] = buckets as [MapRemoteBucket];
    await bucket.put({ key: "ada", weight: 30 });
    void bucket.replaceRates(NEW, "reset");
    void bucket.put({ key: "ada", weight: 5 });
    void bucket.replaceRates(OLD, "keep");
    expect((await bucket.put({ key: "ada" })).remaining).toBe(34);
  });

  test("who comes back after a reset later than others takes nothing from them", async () => {
    const { buckets } = processes(2, tokenBucket);
    const [first, second] = buckets as [MapRemoteBucket, MapRemoteBucket];
    await first.put({ key: "ada", weight: 30 });
    for (const bucket of [first, second]) await bucket.replaceRates(NEW, "reset");
    await first.put({ key: "ada", weight: 5 });
    await first.replaceRates(OLD, "keep");
    expect((await first.put({ key: "ada", weight: 10 })).remaining).toBe(25);
    await second.replaceRates(OLD, "keep");
    expect(await second.count("ada")).toBe(15);
  });

  test("closes what it opened, once each", async () => {
    const { buckets } = processes(1, tokenBucket);
    const [bucket] = buckets as [MapRemoteBucket];
    await bucket.replaceRates(NEW, "keep");
    await bucket.replaceRates("10/min", "reset");
    await bucket.close();
    expect(bucket.disconnected).toBe(1);
  });

  test("refuses where the store cannot, and says the way out", () => {
    class Plain extends MapRemoteBucket {
      protected override _reopen = undefined as unknown as () => MapRemoteBucket;
    }
    const bucket: AbstractBucket<"async"> = new Plain(OLD);
    return expect(bucket.replaceRates(NEW, "keep")).rejects.toThrow(/Cannot replace the rates .* Open a bucket/);
  });
});
