import { InMemoryBucket } from "@sluice/memory";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../src/clock/manual-clock.js";
import { BucketFactory } from "../src/factory/bucket-factory.js";
import { RoutingBucketFactory } from "../src/factory/routing-bucket-factory.js";
import { SingleBucketFactory } from "../src/factory/single-bucket-factory.js";
import { Limiter } from "../src/limiter/limiter.js";
import { SlowBucket, settle } from "./support/slow-bucket.js";

describe("Leaker", () => {
  test("sweeps every interval on one timer, which ends with its last bucket and starts anew with the next", async () => {
    const clock = new ManualClock();
    const leakClock = new ManualClock();
    const bucket = new InMemoryBucket("1/s", { clock });
    const factory = new SingleBucketFactory(bucket, { leakClock, leakInterval: 500 });
    expect([leakClock.pending, factory.leakInterval]).toEqual([1, 500]);
    bucket.put({ key: "ada" });
    leakClock.advance(500);
    await settle();
    expect(bucket.size).toBe(1);
    clock.advance(1000);
    leakClock.advance(499.999);
    await settle();
    expect(bucket.size).toBe(1);
    leakClock.advance(0.001);
    await settle();
    expect([bucket.size, leakClock.pending]).toEqual([0, 1]);

    factory.dispose(bucket);
    expect(leakClock.pending).toBe(0);
    factory.create(InMemoryBucket, "5/s", { clock });
    expect(leakClock.pending).toBe(1);
    factory.leakInterval = 20_000;
    expect([leakClock.pending, factory.leakInterval]).toEqual([1, 20_000]);
    factory.close();
    expect(leakClock.pending).toBe(0);
  });

  test("tells of a sweep that fails, and goes on", async () => {
    class FailingBucket extends InMemoryBucket {
      override sweep(): boolean {
        throw new Error("no such table");
      }
    }
    const errors: unknown[] = [];
    const leakClock = new ManualClock();
    const clock = new ManualClock();
    const factory = new SingleBucketFactory(new FailingBucket("1/s"), {
      leakClock,
      onLeakError: (error) => errors.push(error),
    });
    const healthy = factory.create(InMemoryBucket, "1/s", { clock });
    healthy.put({ key: "ada" });
    clock.advance(1000);
    leakClock.advance(10_000);
    await settle();
    leakClock.advance(10_000);
    await settle();
    expect(errors).toHaveLength(2);
    expect(healthy.size).toBe(0);
    factory.close();
  });

  test("goes on when whoever is told of a failure fails, too", async () => {
    class FailingBucket extends InMemoryBucket {
      sweeps = 0;
      override sweep(): boolean {
        this.sweeps++;
        throw new Error("no such table");
      }
    }
    const leakClock = new ManualClock();
    const onLeakError = () => {
      throw new Error("no such logger");
    };
    const bucket = new FailingBucket("1/s");
    const factory = new SingleBucketFactory(bucket, { leakClock, onLeakError });
    for (let i = 0; i < 3; i++) {
      leakClock.advance(10_000);
      await settle();
    }
    expect(bucket.sweeps).toBe(3);
    factory.close();
  });

  test("refuses an interval that is none", () => {
    expect(() => new SingleBucketFactory(new InMemoryBucket("1/s"), { leakInterval: 0 })).toThrow(RangeError);
  });
});

describe("BucketFactory", () => {
  test("stamps items: a time of one's own decides", () => {
    class Replay extends BucketFactory<"sync"> {
      at = 0;
      readonly bucket = this.create(InMemoryBucket, "1/min");
      override wrapItem(key: string, weight: number) {
        return { key, weight, timestamp: this.at };
      }
      override get() {
        return this.bucket;
      }
    }
    const factory = new Replay("sync");
    using limiter = new Limiter(factory);
    expect(limiter.tryAcquire("ada")).toBe(true);
    factory.at = 59_999;
    expect(limiter.consume("ada").retryAfter).toBe(1);
    factory.at = 60_000;
    expect(limiter.tryAcquire("ada")).toBe(true);
  });

  test("closes its buckets, once", () => {
    const factory = new SingleBucketFactory(new InMemoryBucket("1/s"));
    factory.close();
    factory.close();
    expect(() => factory.bucket.put({ key: "ada" })).toThrow("the bucket is closed");
    expect(factory.buckets()).toEqual([]);
  });
});

describe("RoutingBucketFactory", () => {
  test("opens the bucket of a new name once, and again after it was disposed of", () => {
    const opened: string[] = [];
    const factory = new RoutingBucketFactory({
      route: ({ key }) => key.split(":")[0] as string,
      open: (name) => {
        opened.push(name);
        return new InMemoryBucket("2/min");
      },
    });
    using limiter = new Limiter(factory);
    limiter.consume("acme:ada", 2);
    expect(limiter.tryAcquire("acme:ada")).toBe(false);
    expect(limiter.tryAcquire("zeta:ada")).toBe(true);
    expect(opened).toEqual(["acme", "zeta"]);
    const [acme] = limiter.buckets();
    expect(limiter.dispose(acme as InMemoryBucket)).toBe(true);
    expect(limiter.dispose(acme as InMemoryBucket)).toBe(false);
    expect(limiter.tryAcquire("acme:ada")).toBe(true);
    expect(opened).toEqual(["acme", "zeta", "acme"]);
  });

  test("an async route makes the limiter async, over buckets that answer at once and ones that do not", async () => {
    const clock = new ManualClock();
    const remote = new SlowBucket("3/min", { clock });
    remote.open = true;
    const limiter = new Limiter(
      new RoutingBucketFactory({
        mode: "async",
        route: async ({ key }) => (key === "ada" ? "remote" : "local"),
        buckets: { remote, local: new InMemoryBucket("5/min", { clock }) },
      }),
    );
    const answer = limiter.consume("ada");
    expect(answer).toBeInstanceOf(Promise);
    expect((await answer).remaining).toBe(2);
    expect((await limiter.consume("bob")).remaining).toBe(4);
    expect(await limiter.tryAcquire("bob", 5)).toBe(false);
    await expect(limiter.consume("bob", -1)).rejects.toThrow(RangeError);
    await limiter.flush();
    expect((await limiter.peek("bob")).remaining).toBe(4);
    expect((await limiter.acquire("bob")).remaining).toBe(4);
    await limiter.close();
  });

  test("says which names there are, and how to be async", () => {
    const bucket = new InMemoryBucket("1/s");
    const lost = new Limiter(new RoutingBucketFactory({ route: () => "gold", buckets: { free: bucket } }));
    expect(() => lost.tryAcquire("ada")).toThrow('Cannot route to "gold": the buckets are "free".');
    const asyncRoute = (async () => "free") as unknown as () => string;
    const forgotten = new Limiter(new RoutingBucketFactory({ route: asyncRoute, buckets: { free: bucket } }));
    expect(() => forgotten.tryAcquire("ada")).toThrow('{ mode: "async" }');
    const slow = new SlowBucket("1/s", { clock: new ManualClock() }) as unknown as InMemoryBucket;
    expect(() => new RoutingBucketFactory({ route: () => "slow", buckets: { slow } })).toThrow('{ mode: "async" }');
  });

  test("opens nothing once it is closed, also for a route that answers late", async () => {
    let answer = (_name: string) => {};
    let opened = 0;
    const leakClock = new ManualClock();
    const factory = new RoutingBucketFactory({
      mode: "async",
      route: () => new Promise<string>((resolve) => (answer = resolve)),
      open: () => {
        opened++;
        return new InMemoryBucket("1/s");
      },
      leakClock,
    });
    const limiter = new Limiter(factory);
    const late = limiter.tryAcquire("ada");
    await limiter.close();
    answer("acme");
    await expect(late).rejects.toMatchObject({ code: "CLOSED" });
    expect([opened, factory.buckets().length, leakClock.pending]).toEqual([0, 0, 0]);
    expect(() => factory.create(InMemoryBucket, "1/s")).toThrow("the factory is closed");
  });

  test("timeout and signal are heard while a route is out", async () => {
    const factory = new RoutingBucketFactory({ mode: "async", route: () => new Promise<string>(() => {}) });
    const limiter = new Limiter(factory);
    const controller = new AbortController();
    const waiting = limiter.acquire("ada", { signal: controller.signal });
    controller.abort(new Error("gone"));
    await expect(waiting).rejects.toThrow("gone");
    await expect(limiter.acquire("ada", { timeout: 0 })).rejects.toMatchObject({ code: "TIMEOUT" });
  });

  test("a name such as __proto__ is a name", () => {
    const factory = new RoutingBucketFactory({ route: ({ key }) => key, open: () => new InMemoryBucket("1/s") });
    using limiter = new Limiter(factory);
    expect(limiter.tryAcquire("__proto__")).toBe(true);
    expect(limiter.tryAcquire("constructor")).toBe(true);
  });
});
