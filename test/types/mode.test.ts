import {
  type AbstractBucket,
  BucketFactory,
  type Decision,
  Limiter,
  type Mode,
  RoutingBucketFactory,
} from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import { createLimiter } from "sluice";
import { describe, expectTypeOf, test } from "vitest";

declare const remote: AbstractBucket<"async">;
declare const either: AbstractBucket<Mode>;
const sync = createLimiter("5/s");

/** Held to by the type check; nothing in here runs. */
function neverRun(run: () => unknown): void {
  void run;
}

describe("the mode of a bucket, in types", () => {
  test("a sync limiter answers values", () => {
    expectTypeOf(sync).toEqualTypeOf<Limiter<"sync">>();
    expectTypeOf(sync.tryAcquire("ada")).toEqualTypeOf<boolean>();
    expectTypeOf(sync.consume("ada")).toEqualTypeOf<Decision>();
    expectTypeOf<ReturnType<typeof sync.flush>>().toEqualTypeOf<void>();
    expectTypeOf<ReturnType<typeof sync.acquire>>().toEqualTypeOf<Promise<Decision>>();
  });

  test("an async limiter answers promises, never a union", () => {
    neverRun(() => {
      const limiter = new Limiter(remote);
      expectTypeOf(limiter).toEqualTypeOf<Limiter<"async">>();
      expectTypeOf(limiter.tryAcquire("ada")).toEqualTypeOf<Promise<boolean>>();
      expectTypeOf(limiter.consume("ada")).toEqualTypeOf<Promise<Decision>>();
    });
  });

  test("a forgotten await is a compile error", () => {
    neverRun(async () => {
      const limiter = new Limiter(remote);
      // @ts-expect-error a promise is always true
      // eslint-disable-next-line @typescript-eslint/no-misused-promises
      if (limiter.tryAcquire("ada")) return;
      // @ts-expect-error a promise has no `remaining`
      limiter.consume("ada").remaining;
      const allowed: boolean = await limiter.tryAcquire("ada");
      return allowed;
    });
  });

  test("a bucket of unknown mode gives either", () => {
    neverRun(async () => {
      expectTypeOf(either.now()).toEqualTypeOf<number | Promise<number>>();
      expectTypeOf(await either.now()).toEqualTypeOf<number>();
    });
  });

  test("factories: a sync one cannot hand out an async bucket, an async one both", () => {
    neverRun(() => {
      const bucket = new InMemoryBucket("1/s");
      const routed = new RoutingBucketFactory({ route: () => "a", buckets: { a: bucket } });
      expectTypeOf(routed).toEqualTypeOf<RoutingBucketFactory<"sync">>();
      const asynchronous = new RoutingBucketFactory({
        mode: "async",
        route: async () => "a",
        buckets: { a: bucket, b: remote },
      });
      expectTypeOf(new Limiter(asynchronous)).toEqualTypeOf<Limiter<"async">>();
      // @ts-expect-error a bucket that answers by promises under a sync route
      new RoutingBucketFactory({ route: () => "a", buckets: { a: remote } });
      // @ts-expect-error a route that answers by a promise without mode: "async"
      new RoutingBucketFactory({ route: async () => "a", buckets: { a: bucket } });
      abstract class Sync extends BucketFactory<"sync"> {
        // @ts-expect-error the bucket of a sync factory answers at once
        override get() {
          return remote;
        }
      }
      return Sync;
    });
  });
});

describe("Limiter.wrap(), in types", () => {
  test("keeps the type of the function", () => {
    const double = sync.wrap((n: number, _note?: string) => 2 * n);
    expectTypeOf(double).parameters.toEqualTypeOf<[n: number, _note?: string | undefined]>();
    expectTypeOf(double).returns.toEqualTypeOf<number>();
    const skipped = sync.wrap((n: number) => 2 * n, { onLimited: "skip" });
    expectTypeOf(skipped).returns.toEqualTypeOf<number | undefined>();
    const later = sync.wrap(async (n: number) => 2 * n, { onLimited: "skip", key: (n) => n.toFixed() });
    expectTypeOf(later).returns.toEqualTypeOf<Promise<number | undefined>>();
  });

  test("what must wait must be async", () => {
    neverRun(() => {
      const limiter = new Limiter(remote);
      // @ts-expect-error a sync function under an async limiter
      limiter.wrap((n: number) => n);
      // @ts-expect-error a sync function that is to wait
      sync.wrap((n: number) => n, { onLimited: "wait" });
      // @ts-expect-error a key that is no string
      sync.wrap((n: number) => n, { key: (n) => n });
      limiter.wrap(async (n: number) => n);
      sync.wrap(async (n: number) => n, { onLimited: "wait" });
    });
  });
});
