import {
  fixedWindow,
  Limiter,
  ManualClock,
  RateLimitExceededError,
  slidingWindowLog,
  toAsync,
  tokenBucket,
  withDenyCache,
  withFallback,
  withLease,
} from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import { describe, expect, test } from "vitest";
import { MapRemoteBucket } from "../../../test/conformance/map-remote-bucket.js";
import { settle } from "./support/slow-bucket.js";

type Target = (store: InMemoryBucket) => ConstructorParameters<typeof Limiter<"sync" | "async">>[0];

/** A limiter, and a way to wait that notes who came through, or not, and when. */
function open(rates: string, target: Target = (store) => store, algorithm = tokenBucket) {
  const clock = new ManualClock(1000);
  const store = new InMemoryBucket(rates, { clock, algorithm });
  const limiter = new Limiter(target(store));
  const log: string[] = [];
  const acquire = (name: string, weight = 1, timeout = Number.POSITIVE_INFINITY) =>
    limiter.acquire("ada", { weight, timeout }).then(
      () => void log.push(`${name} at ${clock.now()}`),
      (error: unknown) =>
        void log.push(`${name} ${error instanceof RateLimitExceededError ? "refused" : error} at ${clock.now()}`),
    );
  const advance = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 100) {
      await settle();
      clock.advance(Math.min(100, ms - passed));
    }
    await settle();
  };
  return { clock, store, limiter, log, acquire, advance };
}

/** A line that asks again, and bookings. */
const TARGETS: readonly [string, Target][] = [
  ["in line", (store) => store],
  ["with units booked", toAsync],
];

describe.each(TARGETS)("replaceRates(), callers of acquire() %s", (_, target) => {
  test.each([tokenBucket, slidingWindowLog])(
    "are asked anew: those who fit now go now, by $name",
    async (algorithm) => {
      const { store, log, acquire, advance, limiter } = open("1/min", target, algorithm);
      for (const name of ["a", "b", "c", "d"]) void acquire(name);
      await advance(500);
      expect(log).toEqual(["a at 1000"]);
      store.replaceRates("3/min", "keep");
      await settle();
      // One is used, and two more fit.
      expect([log, limiter.waiting]).toEqual([["a at 1000", "b at 1500", "c at 1500"], 1]);
      store.replaceRates("10/min", "reset");
      await settle();
      expect([log.at(-1), limiter.waiting, store.count("ada")]).toEqual(["d at 1500", 0, 1]);
    },
  );

  test("wait as long as the new rates say", async () => {
    const { store, log, acquire, advance } = open("10/s", target);
    void acquire("a", 10);
    void acquire("b", 1);
    await advance(0);
    store.replaceRates("1/s burst 10", "keep");
    await advance(1000);
    expect(log).toEqual(["a at 1000", "b at 2000"]);
  });

  test("are refused when they can never fit any more, or not before their deadline", async () => {
    const { store, log, acquire, advance } = open("10/s", target);
    void acquire("a", 10);
    void acquire("patient", 5);
    void acquire("heavy", 8);
    void acquire("hasty", 1, 3000);
    void acquire("small", 1);
    await advance(0);
    expect(log).toEqual(["a at 1000"]);
    store.replaceRates("1/s burst 6", "proportional");
    await settle();
    expect(log.slice(1).sort()).toEqual(["hasty refused at 1000", "heavy refused at 1000"]);
    await advance(6000);
    expect(log.slice(3)).toEqual(["patient at 6000", "small at 7000"]);
  });
});

describe("replaceRates(), a line over a store that is being asked", () => {
  test("does not go by an answer from before", async () => {
    const store = new MapRemoteBucket("1/min", { algorithm: fixedWindow }, new ManualClock());
    const limiter = new Limiter(store);
    await limiter.acquire("ada");
    const gates: (() => void)[] = [];
    store.travel = () => new Promise((resolve) => gates.push(resolve));
    const waits = limiter.acquire("ada");
    await settle();
    const replaced = store.replaceRates("2/min", "keep");
    store.travel = async () => {};
    gates.shift()?.();
    await replaced;
    expect((await waits).remaining).toBe(0);
    await limiter.close();
  });
});

describe("replaceRates() of a bucket around a bucket", () => {
  test("withDenyCache() forgets refusals, also when the rates are replaced underneath", () => {
    const clock = new ManualClock();
    const store = new InMemoryBucket("1/min", { clock });
    const bucket = withDenyCache(store);
    expect([bucket.tryPut("ada"), bucket.tryPut("ada")]).toEqual([true, false]);
    bucket.replaceRates("2/min", "keep");
    expect([bucket.capacity, bucket.tryPut("ada"), bucket.tryPut("ada")]).toEqual([2, true, false]);
    store.replaceRates("3/min", "keep");
    expect([bucket.tryPut("ada"), bucket.tryPut("ada")]).toEqual([true, false]);
  });

  test("withLease() gives its units back first, and takes as many as the new rates hold", async () => {
    const clock = new ManualClock();
    const store = new InMemoryBucket("100/h", { clock, algorithm: tokenBucket });
    const bucket = withLease(store, { size: 10 });
    await bucket.put({ key: "ada" });
    expect(store.count("ada")).toBe(10);
    await bucket.replaceRates("50/h", "proportional");
    expect([store.count("ada"), clock.pending]).toEqual([1, 0]);
    await bucket.put({ key: "ada", weight: 2 });
    expect(store.count("ada")).toBe(11);
    await expect(bucket.replaceRates("9/h", "keep")).rejects.toThrow("Cannot lease 10 units at a time");
    store.replaceRates("20/h", "keep");
    // What was leased under rates that were replaced underneath is left to time.
    expect([await bucket.put({ key: "ada" }), store.count("ada")]).toMatchObject([{ allowed: true }, 12]);
  });

  test("withFallback() passes the rates to both buckets", async () => {
    const [primary, other] = [new InMemoryBucket("10/min"), new InMemoryBucket("5/min")];
    await withFallback(primary, other).replaceRates("7/min", "keep");
    expect([primary, other].map(({ rates }) => String(rates))).toEqual(["7/1m", "7/1m"]);
    const alone = withFallback(primary, "open");
    await alone.replaceRates("8/min", "keep");
    expect([alone.capacity, other.capacity]).toEqual([8, 7]);
  });
});
