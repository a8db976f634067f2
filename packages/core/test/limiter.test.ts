import { InMemoryBucket } from "@sluice/memory";
import { describe, expect, test } from "vitest";
import type { tokenBucket } from "../src/algorithms/token-bucket.js";
import { ManualClock } from "../src/clock/manual-clock.js";
import { LimiterError, RateLimitExceededError } from "../src/errors.js";
import { BucketFactory } from "../src/factory/bucket-factory.js";
import { Limiter } from "../src/limiter/limiter.js";
import type { LimiterOptions } from "../src/limiter/options.js";
import { SlowBucket } from "./support/slow-bucket.js";

function open(rates: string | string[], options: LimiterOptions = {}) {
  const clock = new ManualClock(1000);
  return { clock, limiter: new Limiter(new InMemoryBucket(rates, { clock }), options) };
}

describe("Limiter", () => {
  test("tryAcquire says yes or no, and consume why", () => {
    const { limiter, clock } = open("2/s");
    expect([limiter.tryAcquire("ada"), limiter.tryAcquire("ada"), limiter.tryAcquire("ada")]).toEqual([
      true,
      true,
      false,
    ]);
    clock.advance(250);
    expect(limiter.consume("ada")).toMatchObject({ allowed: false, retryAfter: 750, remaining: 0 });
    expect(limiter.consume("bob", 2)).toMatchObject({ allowed: true, remaining: 0 });
  });

  test("a call without a key counts for one shared key", () => {
    const { limiter } = open("2/s");
    limiter.tryAcquire();
    limiter.consume();
    expect(limiter.tryAcquire()).toBe(false);
    expect(limiter.peek().allowed).toBe(false);
  });

  test("charge, refund and flush go to the key's bucket", () => {
    const { limiter } = open("5/s");
    expect(limiter.charge("ada", 7).remaining).toBe(0);
    expect(limiter.refund("ada", 4).remaining).toBe(2);
    limiter.flush("ada");
    expect(limiter.peek("ada").remaining).toBe(4);
    limiter.charge("ada", 7);
    limiter.flush();
    expect(limiter.peek("ada").remaining).toBe(4);
  });

  test("wrong calls throw and change nothing, denials do not throw", async () => {
    const { limiter } = open("5/s");
    expect(() => limiter.tryAcquire("ada", -1)).toThrow(RangeError);
    expect(() => limiter.consume("ada", 1.5)).toThrow(/scale the rate and the weight/);
    expect(() => limiter.tryAcquire(5 as unknown as string)).toThrow(/Convert it, as in String\(id\)/);
    await expect(limiter.acquire("ada", { weight: -1 })).rejects.toThrow(RangeError);
    await expect(limiter.acquire("ada", { timeout: -1 })).rejects.toThrow(RangeError);
    expect(limiter.peek("ada").remaining).toBe(4);
    expect(() => new Limiter("5/s" as unknown as InMemoryBucket)).toThrow(/createLimiter/);
    expect(() => open("5/s", { maxQueue: -1 })).toThrow(RangeError);
  });

  test("in mode async, wrong calls are rejections", async () => {
    const limiter = new Limiter(new SlowBucket("5/s", { clock: new ManualClock() }));
    await expect(limiter.tryAcquire("ada", -1)).rejects.toThrow(RangeError);
    await expect(limiter.consume(5 as unknown as string)).rejects.toThrow(TypeError);
    await limiter.close();
    await expect(limiter.tryAcquire("ada")).rejects.toMatchObject({ code: "CLOSED" });
  });

  test("close turns away those who wait, and can be called again", async () => {
    const { limiter, clock } = open("1/s", { name: "mail" });
    await limiter.acquire("ada");
    const waiting = limiter.acquire("ada");
    limiter.close();
    limiter.close();
    await expect(waiting).rejects.toMatchObject({ code: "CLOSED", message: expect.stringContaining('"mail"') });
    await expect(limiter.acquire("ada")).rejects.toBeInstanceOf(LimiterError);
    expect(() => limiter.tryAcquire("ada")).toThrow(LimiterError);
    expect(clock.pending).toBe(0);
  });

  test("refund and flush wake those who wait, under the key that the factory gave", async () => {
    class Tenants extends BucketFactory<"sync"> {
      readonly bucket = this.create(InMemoryBucket, "1/h", { clock: new ManualClock() });
      override wrapItem(key: string, weight: number) {
        return { key: `tenant ${key}`, weight };
      }
      override get() {
        return this.bucket;
      }
    }
    using limiter = new Limiter(new Tenants("sync"));
    for (const giveBack of [() => limiter.refund("ada"), () => limiter.flush("ada"), () => limiter.flush()]) {
      limiter.tryAcquire("ada");
      const waiting = limiter.acquire("ada");
      giveBack();
      expect((await waiting).allowed).toBe(true);
    }
  });

  test("dispose leaves alone what is not the limiter's", async () => {
    const clock = new ManualClock();
    const bucket = new InMemoryBucket("1/s", { clock });
    using limiter = new Limiter(bucket);
    const stranger = new InMemoryBucket("1/s", { clock });
    expect(limiter.dispose(stranger)).toBe(false);
    expect(stranger.tryPut("ada")).toBe(true);
    await limiter.acquire("ada");
    const waiting = limiter.acquire("ada");
    expect(limiter.dispose(bucket)).toBe(true);
    await expect(waiting).rejects.toThrow("disposed of");
  });

  test("says what is wrong with what is not even of the right shape", async () => {
    const { limiter } = open("5/s");
    await expect(limiter.acquire("ada", 5 as unknown as object)).rejects.toThrow("acquire(key, { weight: 2 })");
    await expect(limiter.acquire("ada", { timeout: "5s" as unknown as number })).rejects.toThrow(TypeError);
    expect(() => limiter.wrap(() => 1, { onLimited: "wiat" as "skip" })).toThrow('"throw", "wait" or "skip"');
    const algorithm = "token-bucket" as unknown as typeof tokenBucket;
    expect(() => new InMemoryBucket("5/s", { algorithm })).toThrow("imported from @sluice/core, and not its name");
    expect(() => new InMemoryBucket("5/s", { clock: Date as unknown as ManualClock })).toThrow("extend AbstractClock");
    const bucket = new InMemoryBucket("5/s");
    expect(() => bucket.putMany({ key: "ada" } as unknown as [])).toThrow("putMany takes a list");
  });

  test("using closes it", () => {
    const bucket = new InMemoryBucket("1/s");
    {
      using limiter = new Limiter(bucket);
      limiter.tryAcquire("ada");
    }
    expect(() => bucket.tryPut("ada")).toThrow("closed");
  });
});

describe("Limiter.wrap()", () => {
  test("throws for a denied call, which never runs, and keeps this and the arguments", () => {
    const { limiter } = open("1/s", { name: "greeter" });
    const ran: string[] = [];
    const greeter = {
      greeting: "Hello",
      greet: limiter.wrap(function (this: { greeting: string }, name: string, times: number) {
        ran.push(name);
        return `${this.greeting} ${name}`.repeat(times);
      }),
    };
    expect(greeter.greet("Ada", 2)).toBe("Hello AdaHello Ada");
    const denied = () => greeter.greet("Bob", 1);
    expect(denied).toThrow(RateLimitExceededError);
    expect(denied).toThrow('Cannot admit weight 1 for "default" in "greeter" (1/1s): it would fit in 1s.');
    expect(ran).toEqual(["Ada"]);
  });

  test("takes key and weight from the arguments", () => {
    const { limiter } = open("10/s");
    const send = limiter.wrap((_to: string, size: number) => size, {
      key: (to) => to,
      weight: (_, size) => size,
      onLimited: "skip",
    });
    expect([send("ada", 6), send("ada", 6), send("bob", 6), send("ada", 4)]).toEqual([6, undefined, 6, 4]);
  });

  test("waits where it is told to, up to the timeout", async () => {
    const { limiter, clock } = open("1/s");
    const ran: number[] = [];
    const work = limiter.wrap(async (id: number) => void ran.push(id), { onLimited: "wait", timeout: 1500 });
    const first = work(1);
    const second = work(2);
    const third = work(3);
    await expect(third).rejects.toBeInstanceOf(RateLimitExceededError);
    await first;
    expect(ran).toEqual([1]);
    clock.advance(1000);
    await second;
    expect(ran).toEqual([1, 2]);
  });

  test("is rejected, and does not throw, where a promise is promised", async () => {
    const { limiter } = open("1/s");
    const key = () => {
      throw new Error("no such user");
    };
    await expect(limiter.wrap(async () => "done", { key, onLimited: "wait" })()).rejects.toThrow("no such user");
    expect(() => limiter.wrap(() => "done", { key })()).toThrow("no such user");
  });

  test("under an async limiter answers by promises, denials included", async () => {
    const bucket = new SlowBucket("1/s", { clock: new ManualClock() });
    bucket.open = true;
    const limiter = new Limiter(bucket);
    const work = limiter.wrap(async () => "done", { onLimited: "skip" });
    expect(await work()).toBe("done");
    expect(await work()).toBeUndefined();
    await expect(limiter.wrap(async () => "done")()).rejects.toBeInstanceOf(RateLimitExceededError);
  });
});
