import { AsyncLocalStorage } from "node:async_hooks";
import { type Decision, fixedWindow, LimiterError, StoreError, tokenBucket } from "@sluice/core";
import { describe, expect, test } from "vitest";
import { MapRemoteBucket } from "../../../test/conformance/map-remote-bucket.js";

/** A bucket whose trips stay on their way until `arrive` is called for them, first come, first served. */
function slowBucket(options: ConstructorParameters<typeof MapRemoteBucket>[1] = {}) {
  const bucket = new MapRemoteBucket("100/min", { algorithm: tokenBucket, ...options });
  const onTheWay: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  bucket.travel = () => new Promise((resolve, reject) => onTheWay.push({ resolve, reject }));
  return {
    bucket,
    underway: () => onTheWay.length,
    arrive: () => onTheWay.shift()?.resolve(),
    crash: (error: unknown) => onTheWay.shift()?.reject(error),
  };
}

/** Lets everything happen that needs no timer. */
const settle = () => new Promise((resolve) => setImmediate(resolve));
const codeOf = (error: unknown) => (error instanceof LimiterError ? error.code : error);

describe("RemoteBucket", () => {
  test("sends the first put at once, without a timer", async () => {
    const { bucket, underway, arrive } = slowBucket();
    const put = bucket.put({ key: "ada" });
    await Promise.resolve();
    expect(underway()).toBe(1);
    arrive();
    expect((await put).remaining).toBe(99);
  });

  test("puts that come while a trip is underway ride the next one together, in order", async () => {
    const { bucket, underway, arrive } = slowBucket();
    const first = bucket.put({ key: "ada" });
    await settle();
    const later = [
      bucket.put({ key: "ada", weight: 2 }),
      bucket.put({ key: "bob" }),
      bucket.put({ key: "ada", weight: 2 }),
      bucket.refund({ key: "ada" }),
      bucket.put({ key: "ada", weight: 3 }),
    ];
    await settle();
    expect(underway()).toBe(1);
    arrive();
    await first;
    await settle();
    arrive();
    expect((await Promise.all(later)).map(({ remaining }) => remaining)).toEqual([97, 99, 95, 96, 93]);
    expect(bucket.trips).toEqual([
      ["ada: put 1 x 1"],
      ["ada: put 2 x 2", "ada: refund 1 x 1", "ada: put 1 x 3", "bob: put 1 x 1"],
    ]);
  });

  test("equal puts of one turn are one step, decided in order", async () => {
    const bucket = new MapRemoteBucket("3/min", { algorithm: fixedWindow });
    const decisions = await Promise.all(Array.from({ length: 5 }, () => bucket.put({ key: "ada" })));
    expect(decisions.map(({ allowed, remaining }) => [allowed, remaining])).toEqual([
      [true, 2],
      [true, 1],
      [true, 0],
      [false, 0],
      [false, 0],
    ]);
    expect(bucket.trips).toEqual([["ada: put 5 x 1"]]);
  });

  test("a trip carries maxTrip operations at most, and the rest follow in order", async () => {
    const bucket = new MapRemoteBucket("100/min", { maxTrip: 4 });
    const items = Array.from({ length: 10 }, (_, i) => ({ key: `${i % 2}` }));
    const decisions = await bucket.putMany(items);
    expect(decisions.map(({ remaining }) => remaining)).toEqual([99, 99, 98, 98, 97, 97, 96, 96, 95, 95]);
    expect(bucket.trips.map((trip) => trip.length)).toEqual([2, 2, 2]);
    expect(bucket.trips[2]).toEqual(["0: put 1 x 1", "1: put 1 x 1"]);
  });

  test("lanes travel side by side, each one trip at a time", async () => {
    class TwoLanes extends MapRemoteBucket {
      protected override _lane(key: string): number {
        return key.length;
      }
    }
    const bucket = new TwoLanes("100/min");
    const arrivals: (() => void)[] = [];
    bucket.travel = () => new Promise((resolve) => arrivals.push(resolve));
    const puts = ["a", "bb", "c", "dd"].map((key) => bucket.put({ key }));
    await settle();
    const more = [bucket.put({ key: "a" }), bucket.put({ key: "bb" })];
    await settle();
    expect(bucket.trips).toEqual([
      ["a: put 1 x 1", "c: put 1 x 1"],
      ["bb: put 1 x 1", "dd: put 1 x 1"],
    ]);
    arrivals[1]?.();
    await Promise.all([puts[1], puts[3]]);
    await settle();
    expect(bucket.trips[2]).toEqual(["bb: put 1 x 1"]);
    for (const arrive of arrivals) arrive();
    await settle();
    arrivals.at(-1)?.();
    await Promise.all([...puts, ...more]);
  });

  test("a failure of the store is a StoreError with its cause, for each caller of the trip, and the next trip goes", async () => {
    const { bucket, crash, arrive } = slowBucket();
    const cause = new Error("connection lost");
    const calls = [bucket.put({ key: "ada" }), bucket.tryPut("bob")];
    await settle();
    crash(cause);
    for (const result of await Promise.allSettled(calls)) {
      expect(result).toMatchObject({ status: "rejected", reason: { name: "StoreError", code: "STORE", cause } });
    }
    await expect(calls[0]).rejects.toThrow("Cannot put: The map failed (connection lost).");
    const next = bucket.put({ key: "ada" });
    await settle();
    arrive();
    expect((await next).remaining).toBe(99);
  });

  test("whoever waits longer than the timeout is told so, and nobody earlier; then the next trip goes", async () => {
    const { bucket, underway, arrive } = slowBucket({ timeout: 300 });
    const start = performance.now();
    const first = bucket.put({ key: "ada" }).catch((error: unknown) => [codeOf(error), performance.now() - start]);
    await new Promise((resolve) => setTimeout(resolve, 150));
    const second = bucket.put({ key: "ada" });
    const [code, waited] = (await first) as [string, number];
    expect(code).toBe("STORE_TIMEOUT");
    expect(waited).toBeGreaterThanOrEqual(300);
    await settle();
    // The first trip is still out there; the second does not wait for it.
    expect(underway()).toBe(2);
    arrive();
    arrive();
    expect(await second).toMatchObject({ allowed: true, remaining: 98 });
  });

  test("a call that waits in line behind a stuck trip is told when its own time is over", async () => {
    const { bucket } = slowBucket({ timeout: 20 });
    const calls = [bucket.put({ key: "ada" })];
    await settle();
    calls.push(bucket.put({ key: "ada" }), bucket.put({ key: "bob" }));
    const results = await Promise.allSettled(calls);
    expect(results.map((result) => result.status === "rejected" && codeOf(result.reason))).toEqual(
      Array.from({ length: 3 }, () => "STORE_TIMEOUT"),
    );
  });

  test("what is asked outside of trips has the timeout and the errors too", async () => {
    class Stuck extends MapRemoteBucket {
      protected override _flush(): Promise<void> {
        return this._ask("flush", () => new Promise<void>(() => {}));
      }
      protected override _leak(): Promise<number> {
        return this._ask("leak", () => Promise.reject(new Error("no such table")));
      }
    }
    const bucket = new Stuck("1/s", { timeout: 10 });
    await expect(bucket.flush()).rejects.toMatchObject({ code: "STORE_TIMEOUT" });
    await expect(bucket.leak()).rejects.toThrow(new StoreError("Cannot leak: The map failed (no such table)."));
  });

  test("close waits for what is in flight, answers it, and lets go once", async () => {
    const { bucket, arrive } = slowBucket();
    const first = bucket.put({ key: "ada" });
    await settle();
    const second = bucket.put({ key: "ada" });
    let closed = false;
    const closing = bucket.close().then(() => {
      closed = true;
    });
    await expect(bucket.put({ key: "ada" })).rejects.toMatchObject({ code: "CLOSED" });
    arrive();
    await first;
    await settle();
    expect([closed, bucket.disconnected]).toEqual([false, 0]);
    arrive();
    expect((await second).remaining).toBe(98);
    await closing;
    await bucket.close();
    expect(bucket.disconnected).toBe(1);
  });

  test("the store's clock decides, unless the bucket has a clock or the item a timestamp", async () => {
    const bucket = new MapRemoteBucket("1/s", { algorithm: tokenBucket });
    bucket.serverClock.set(1000);
    await bucket.put({ key: "ada" });
    bucket.serverClock.set(1250);
    expect((await bucket.put({ key: "ada" })).retryAfter).toBe(750);
    expect((await bucket.put({ key: "ada", timestamp: 1600 })).retryAfter).toBe(400);
    expect(await bucket.now()).toBe(1250);
  });

  test("trips are made outside the context of whoever happens to call", async () => {
    const storage = new AsyncLocalStorage<string>();
    const bucket = new MapRemoteBucket("100/min");
    const seen: (string | undefined)[] = [];
    bucket.travel = async () => {
      seen.push(storage.getStore());
    };
    const decision: Decision = await storage.run("request", () => bucket.put({ key: "ada" }));
    expect(decision.allowed).toBe(true);
    expect(seen).toEqual([undefined]);
  });

  test.each([
    [{ timeout: 0 }, RangeError, "Cannot use 0 as timeout: it is more than 0."],
    [{ timeout: "5s" }, TypeError, 'Cannot use "5s" as timeout: it is a number.'],
    [{ maxTrip: 1.5 }, RangeError, "Cannot use 1.5 as maxTrip: it is a whole number, 1 or more."],
    [{ name: "" }, RangeError, 'Cannot call a bucket "": a name is a well-formed string of 1 to 200 characters'],
    [{ name: "\ud83d" }, RangeError, "Cannot call a bucket"],
    [{ name: 7 }, TypeError, "Cannot call a bucket 7"],
  ])("refuses the options %j", (options, type, message) => {
    const open = () => new MapRemoteBucket("1/s", options as { name: string });
    expect(open).toThrow(type);
    expect(open).toThrow(message);
  });
});
