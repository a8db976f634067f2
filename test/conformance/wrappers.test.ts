import { bucketSuite } from "@sluice/conformance";
import {
  type AbstractBucket,
  leakyBucket,
  type Mode,
  toAsync,
  tokenBucket,
  withDenyCache,
  withFallback,
  withLease,
  withObserver,
} from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import { describe, test } from "vitest";
import { MapRemoteBucket } from "./map-remote-bucket.js";

/** Around a bucket of either mode. */
const WRAPPERS: Record<string, <M extends Mode>(bucket: AbstractBucket<M>) => AbstractBucket<M>> = {
  withDenyCache,
  withObserver: (bucket) => withObserver(bucket, { onDecision: () => {} }),
};

describe.each(Object.entries(WRAPPERS))("%s()", (_, wrap) => {
  describe("around a sync bucket", () => {
    bucketSuite({
      test,
      factory: (rates, options) => wrap(new InMemoryBucket(rates, options)),
      supports: { reserve: true, replaceRates: true },
      runs: 100,
    });
  });

  describe("around an async bucket", () => {
    bucketSuite({
      test,
      factory: (rates, options) => wrap(new MapRemoteBucket(rates, options)),
      supports: { replaceRates: true },
      runs: 50,
    });
  });
});

describe("withFallback()", () => {
  bucketSuite({
    test,
    factory: (rates, options) => withFallback(new InMemoryBucket(rates, options), "closed"),
    supports: { reserve: true, replaceRates: true },
    runs: 50,
  });
});

describe("withFallback(), while the primary is away", () => {
  bucketSuite({
    test,
    factory: (rates, options) => {
      const away = new MapRemoteBucket(rates, options);
      away.travel = () => Promise.reject(new Error("away"));
      return withFallback(away, toAsync(new InMemoryBucket(rates, options)), { breaker: { failures: 1 } });
    },
    supports: { replaceRates: true },
    runs: 50,
  });
});

describe("withLease(), one unit at a time", () => {
  bucketSuite({
    test,
    factory: (rates, options) => withLease(new InMemoryBucket(rates, options), { size: 1 }),
    supports: { algorithms: [tokenBucket, leakyBucket], reserve: true, replaceRates: true },
    runs: 50,
  });
});
