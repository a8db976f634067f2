import {
  type AbstractBucket,
  type BucketListener,
  type DecisionEvent,
  type ErrorEvent,
  ManualClock,
  type Mode,
  toAsync,
  tokenBucket,
  withDenyCache,
  withFallback,
  withLease,
  withObserver,
} from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import { describe, expect, test } from "vitest";
import { MapRemoteBucket } from "../../../test/conformance/map-remote-bucket.js";

function denying(options = {}) {
  const clock = new ManualClock();
  const store = new MapRemoteBucket("2/s", { algorithm: tokenBucket, clock });
  return { clock, store, bucket: withDenyCache(store, options) };
}

describe("withDenyCache()", () => {
  test("does not ask the store for a refused key until its retryAfter", async () => {
    const { clock, store, bucket } = denying();
    await bucket.putMany([{ key: "ada" }, { key: "ada" }, { key: "ada" }]);
    clock.advance(499.999);
    expect(await bucket.put({ key: "ada" })).toMatchObject({ allowed: false, retryAfter: 0.001, resetAfter: 500.001 });
    expect(await bucket.tryPut("ada")).toBe(false);
    expect(store.trips).toHaveLength(1);
    clock.advance(0.001);
    expect(await bucket.tryPut("ada")).toBe(true);
    expect(store.trips).toHaveLength(2);
  });

  test("asks for what it does not know: other keys, heavier items, timestamps", async () => {
    const { store, bucket } = denying();
    for (let i = 0; i < 3; i++) await bucket.tryPut("ada");
    await bucket.tryPut("bob");
    await bucket.tryPut("ada", 2);
    await bucket.put({ key: "ada", timestamp: 5000 });
    expect(store.trips).toHaveLength(6);
  });

  test("units that come back through it are seen at once", async () => {
    const { bucket } = denying();
    for (let i = 0; i < 3; i++) await bucket.tryPut("ada");
    await bucket.refund({ key: "ada" });
    expect(await bucket.tryPut("ada")).toBe(true);
    expect(await bucket.tryPut("ada")).toBe(false);
    await bucket.flush("ada");
    expect(await bucket.tryPut("ada")).toBe(true);
    await bucket.tryPut("ada", 1);
    expect(await bucket.tryPut("ada")).toBe(false);
    await bucket.flush();
    expect(await bucket.tryPut("ada")).toBe(true);
  });

  test("an answer from before a refund is not remembered after it", async () => {
    const { store, bucket } = denying();
    await bucket.tryPut("ada", 2);
    const arrivals: (() => void)[] = [];
    store.travel = () => new Promise((resolve) => arrivals.push(resolve));
    const refused = bucket.tryPut("ada");
    const refund = bucket.refund({ key: "ada" });
    const land = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      arrivals.shift()?.();
    };
    await land();
    expect(await refused).toBe(false);
    await refund;
    const put = bucket.tryPut("ada");
    await land();
    expect(await put).toBe(true);
  });

  test("remembers maxKeys keys, the newest", async () => {
    const { store, bucket } = denying({ maxKeys: 2 });
    for (const key of ["a", "b", "c"]) for (let i = 0; i < 3; i++) await bucket.tryPut(key);
    const before = store.trips.length;
    for (const key of ["c", "b", "a"]) await bucket.tryPut(key);
    expect(store.trips.length - before).toBe(1);
    expect(() => withDenyCache(store, { maxKeys: 0 })).toThrow(RangeError);
  });
});

describe("withObserver()", () => {
  test("tells of decisions, how long they took, errors and evictions", async () => {
    const decisions: DecisionEvent[] = [];
    const errors: ErrorEvent[] = [];
    const store = new MapRemoteBucket("1/s");
    const bucket = withObserver(store, {
      onDecision: (event) => decisions.push(event),
      onError: (event) => errors.push(event),
    });
    await bucket.put({ key: "ada" });
    await bucket.tryPut("ada");
    await bucket.putMany([{ key: "bob" }, { key: "eve", weight: 2 }]);
    await bucket.charge({ key: "bob", weight: 3 });
    expect(decisions.map(({ operation, key, weight, decision }) => [operation, key, weight, decision.allowed])).toEqual(
      [
        ["put", "ada", 1, true],
        ["put", "ada", 1, false],
        ["put", "bob", 1, true],
        ["put", "eve", 2, false],
        ["charge", "bob", 3, true],
      ],
    );
    expect(decisions.every(({ duration }) => duration >= 0 && duration < 1000)).toBe(true);
    store.travel = () => Promise.reject(new Error("away"));
    await expect(bucket.peek({ key: "ada" })).rejects.toThrow("away");
    expect(errors).toMatchObject([{ operation: "peek", key: "ada", weight: 1, error: { code: "STORE" } }]);
  });

  test("tells of evictions, and of errors of a bucket that answers at once", () => {
    const evicted: number[] = [];
    const errors: unknown[] = [];
    const bucket = withObserver(new InMemoryBucket("1/s", { maxKeys: 2 }), {
      onEviction: (count) => evicted.push(count),
      onError: ({ error }) => errors.push(error),
    });
    bucket.putMany(["a", "b", "c", "d"].map((key) => ({ key })));
    bucket.put({ key: "e" });
    expect(evicted).toEqual([2, 1]);
    const broken = withObserver(new InMemoryBucket("1/s"), { onError: ({ error }) => errors.push(error) });
    (broken as unknown as { _inner: InMemoryBucket })._inner.close();
    expect(() => broken.put({ key: "a" })).toThrow("closed");
    expect(errors).toHaveLength(1);
  });

  test.each<[string, (bucket: AbstractBucket<"sync">) => AbstractBucket<Mode>]>([
    ["toAsync()", (bucket) => toAsync(bucket)],
    ["withDenyCache()", (bucket) => withDenyCache(bucket)],
    ["withObserver()", (bucket) => withObserver(bucket, { onDecision: () => {} })],
    ["withFallback()", (bucket) => withFallback(bucket, "open")],
    ["withFallback() to it", (bucket) => withFallback(new InMemoryBucket("1/s"), bucket)],
    ["withLease()", (bucket) => withLease(bucket, { size: 1 })],
  ])("tells of evictions through %s", async (_, wrap) => {
    let evicted = 0;
    const inner = new InMemoryBucket("1/s", { algorithm: tokenBucket, maxKeys: 1 });
    const bucket = withObserver(wrap(inner), {
      onEviction: (count) => {
        evicted += count;
      },
    });
    for (const key of ["a", "b", "c"]) inner.put({ key });
    await bucket.put({ key: "d" });
    expect([evicted, inner.evictions]).toEqual([inner.evictions, inner.evictions]);
    expect(evicted).toBeGreaterThanOrEqual(2);
  });

  test.each(["sync", "async"] as const)(
    "an onError that throws hides no error of a bucket that is %s",
    async (mode) => {
      const inner = new InMemoryBucket("1/s");
      const keys: string[] = [];
      const onError = ({ key }: ErrorEvent) => {
        keys.push(key);
        throw new Error("the listener broke");
      };
      const put = async () =>
        mode === "sync"
          ? withObserver(inner, { onError }).putMany([{ key: "a" }, { key: "b" }])
          : withObserver(toAsync(inner), { onError }).putMany([{ key: "a" }, { key: "b" }]);
      inner.close();
      await expect(put()).rejects.toMatchObject({ code: "CLOSED" });
      expect(keys).toEqual(["a", "b"]);
    },
  );

  test("refuses what cannot listen", () => {
    const bucket = new InMemoryBucket("1/s");
    for (const [listener, name] of [
      [5, "5"],
      ["x", '"x"'],
      [null, "null"],
      [() => {}, "a function"],
    ] as const) {
      const wrap = () => withObserver(bucket, listener as unknown as BucketListener);
      expect(wrap).toThrow(TypeError);
      expect(wrap).toThrow(`Cannot tell ${name} `);
    }
    const wrong = { onDecision: "log" } as unknown as BucketListener;
    expect(() => withObserver(bucket, wrong)).toThrow('Cannot use "log" as onDecision');
  });

  test("costs nothing where nobody listens", () => {
    const bucket = new InMemoryBucket("1/s");
    expect(withObserver(bucket, undefined)).toBe(bucket);
    expect(withObserver(bucket, {})).toBe(bucket);
  });
});
