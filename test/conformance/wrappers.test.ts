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

/** The laws that no lease of more than one unit can keep, and why. Each errs on the side of less. */
const STALE = "remaining and resetAfter are from when the store was last asked";
const LEAKED = "time gives units of a lease back to the store, not to the lease";
const BROKEN_BY_SOME = {
  "peek and waiting answer as put would and change nothing; tryPut does as put does": STALE,
  "refund undoes a put made at the same instant, and never goes above full": STALE,
  "a clock that steps back mints nothing, and waits are told from where it stands":
    "a lease does not serve before the time at which it was taken",
  "decides random histories as the exact model does": "all of these",
};
const BROKEN_BY_ALL = {
  ...BROKEN_BY_SOME,
  "remaining is true: so many more units are admitted, and one more is refused": STALE,
  "replaceRates decides by the new rates, and keeps, scales or forgets what was used": LEAKED,
  "replaceRates hands each new rate what the old one of its interval has in use, else the next shorter one":
    "rates that hold less than a lease are refused",
  "after replaceRates with keep, all is as if the new rates had been there when the units were taken":
    "rates that hold less than a lease are refused",
};

/** A `test` that leaves out laws. */
function except(laws: Readonly<Record<string, string>>): typeof test {
  const lawOf = (name: string) => name.slice(name.indexOf(": ") + 2);
  return ((name: string, run: () => Promise<void>) => {
    const why = laws[lawOf(name)];
    if (why === undefined) test(name, run);
    else test.skip(`${name} (${why})`, run);
  }) as typeof test;
}

describe.each([
  ["one unit", 1, {}],
  ["three units", 3, BROKEN_BY_SOME],
  ["all units", Number.POSITIVE_INFINITY, BROKEN_BY_ALL],
])("withLease(), %s at a time", (_, most, broken) => {
  bucketSuite({
    test: except(broken),
    factory: (rates, options) => {
      const size = Math.min(most, ...rates.map(({ burst }) => burst));
      return withLease(new InMemoryBucket(rates, options), { size });
    },
    supports: { algorithms: [tokenBucket, leakyBucket], reserve: true, replaceRates: true },
    runs: 50,
  });
});
