import {
  type AbstractBucket,
  fixedWindow,
  Limiter,
  LimiterError,
  ManualClock,
  type Mode,
  tokenBucket,
  withFallback,
} from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import { describe, expect, test } from "vitest";
import { MapRemoteBucket } from "../../../test/conformance/map-remote-bucket.js";

/** A primary that can be broken, something to fall back to, and the clock of both. */
function open(
  fallBackTo: (clock: ManualClock) => AbstractBucket<Mode> | "open" | "closed",
  breaker = { failures: 2, coolDown: 1000 },
) {
  const clock = new ManualClock();
  const primary = new MapRemoteBucket("4/min", { algorithm: fixedWindow, clock });
  const bucket = withFallback(primary, fallBackTo(clock), { breaker });
  const breakDown = () => {
    primary.travel = () => Promise.reject(new Error("away"));
  };
  const mend = () => {
    primary.travel = async () => {};
  };
  return { clock, primary, bucket, breakDown, mend };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Two buckets that book, the one behind a wire that can be cut. */
function openBooking(other?: "open" | "closed") {
  const clock = new ManualClock();
  const options = { algorithm: tokenBucket, clock };
  const primary = new MapRemoteBucket("10/h", options);
  const own = new InMemoryBucket("10/h", options);
  const bucket = withFallback(primary, other ?? own, { breaker: { failures: 9 } });
  const breakDown = () => {
    primary.travel = () => Promise.reject(new Error("away"));
  };
  const mend = () => {
    primary.travel = async () => {};
  };
  return { clock, primary, own, bucket, breakDown, mend };
}

const ownShare = (clock: ManualClock) => new InMemoryBucket("1/min", { algorithm: fixedWindow, clock });

describe("withFallback()", () => {
  test("answers from the primary while it is there, and from the other, marked, while it is not", async () => {
    const { bucket, breakDown, mend } = open(ownShare);
    expect(await bucket.put({ key: "ada" })).toMatchObject({ allowed: true, remaining: 3, degraded: false });
    breakDown();
    expect(await bucket.put({ key: "ada" })).toMatchObject({ allowed: true, remaining: 0, degraded: true });
    mend();
    expect(await bucket.put({ key: "ada" })).toMatchObject({ allowed: true, remaining: 2, degraded: false });
    expect(await bucket.tryPut("ada")).toBe(true);
  });

  test("tells who is refused to come back when the primary is tried, and in a while as long as it is being asked", async () => {
    const { clock, primary, bucket, breakDown } = open(() => "closed");
    breakDown();
    const refused = async () => (await bucket.put({ key: "ada" })).retryAfter;
    expect([await refused(), await refused(), await refused()]).toEqual([20, 1000, 1000]);
    clock.advance(1000);
    primary.travel = () => new Promise(() => {});
    void bucket.put({ key: "bob" });
    await settle();
    expect(await refused()).toBe(20);
  });

  test("leaves the primary alone after some failures in a row, then lets one call try it, and returns", async () => {
    const { clock, primary, bucket, breakDown, mend } = open(ownShare);
    breakDown();
    await bucket.put({ key: "ada" });
    mend();
    await bucket.put({ key: "ada" });
    breakDown();
    await bucket.put({ key: "ada" });
    await bucket.put({ key: "ada" });
    expect(primary.trips).toHaveLength(4);
    clock.advance(999);
    expect((await bucket.put({ key: "ada" })).degraded).toBe(true);
    expect(primary.trips).toHaveLength(4);
    clock.advance(1);
    const burst = await Promise.all(Array.from({ length: 10 }, (_, i) => bucket.put({ key: `${i}` })));
    expect(burst.every(({ degraded }) => degraded)).toBe(true);
    expect(primary.trips).toHaveLength(5);
    mend();
    expect((await bucket.put({ key: "ada" })).degraded).toBe(true);
    clock.advance(1000);
    expect((await bucket.put({ key: "ada" })).degraded).toBe(false);
    expect(await bucket.put({ key: "ada" })).toMatchObject({ degraded: false, remaining: 1 });
  });

  test('"open" admits what could ever fit, "closed" refuses until the store is tried again', async () => {
    const opened = open(() => "open");
    opened.breakDown();
    expect(await opened.bucket.put({ key: "ada", weight: 4 })).toMatchObject({ allowed: true, degraded: true });
    expect(await opened.bucket.put({ key: "ada", weight: 5 })).toMatchObject({
      allowed: false,
      retryAfter: Number.POSITIVE_INFINITY,
    });
    expect(await opened.bucket.count("ada")).toBe(0);
    const closed = open(() => "closed");
    closed.breakDown();
    for (let i = 0; i < 2; i++) expect((await closed.bucket.put({ key: "ada" })).allowed).toBe(false);
    closed.clock.advance(400);
    expect(await closed.bucket.put({ key: "ada" })).toMatchObject({ allowed: false, retryAfter: 600, degraded: true });
    expect((await closed.bucket.charge({ key: "ada" })).degraded).toBe(true);
  });

  test("a primary that takes longer than the timeout has failed, whatever becomes of it", async () => {
    const clock = new ManualClock();
    const primary = new MapRemoteBucket("4/min", { clock });
    primary.travel = () => new Promise(() => {});
    const bucket = withFallback(primary, "open", { timeout: 10 });
    expect((await bucket.put({ key: "ada" })).degraded).toBe(true);
    expect(await Promise.all([bucket.tryPut("ada"), bucket.tryPut("bob", 5)])).toEqual([true, false]);
  });

  test("what becomes of calls from before an outage does not end the turn of the call that tries the store", async () => {
    const { clock, primary, bucket, breakDown } = open(ownShare);
    const landings: { answer: () => void; fail: (error: Error) => void }[] = [];
    const hold = () => {
      primary.travel = () => new Promise((answer, fail) => landings.push({ answer, fail }));
    };
    const ask = async (key: string) => {
      const answer = bucket.read(key);
      await settle();
      return { answer };
    };
    hold();
    const early = [await ask("a"), await ask("b")] as const;
    breakDown();
    await Promise.all([bucket.read("c"), bucket.read("d")]);
    hold();
    clock.advance(1000);
    const attempt = await ask("e");
    landings[0]?.fail(new Error("away"));
    await early[0].answer;
    await ask("f");
    landings[1]?.answer();
    await early[1].answer;
    await ask("g");
    expect(landings).toHaveLength(3);
    landings[2]?.answer();
    await attempt.answer;
    await ask("h");
    expect(landings).toHaveLength(4);
  });

  test("a booking is cancelled where it was made, and nowhere else", async () => {
    const { clock, primary, own, bucket, breakDown, mend } = openBooking();
    const limiter = new Limiter(bucket);
    const counts = async () => [await primary.count("ada"), own.count("ada")];
    await primary.put({ key: "ada", weight: 3 });
    own.put({ key: "ada", weight: 3 });
    const here = await limiter.reserve("ada", 2);
    clock.advance(1);
    breakDown();
    const there = await limiter.reserve("ada", 2);
    await here.cancel();
    expect(own.count("ada")).toBe(5);
    mend();
    expect(await counts()).toEqual([5, 5]);
    await there.commit(1);
    expect(await counts()).toEqual([5, 4]);
    clock.advance(1);
    const again = await limiter.reserve("ada", 2);
    await again.cancel();
    expect(await counts()).toEqual([5, 4]);
  });

  test('a booking made "open" was made nowhere, and takes nothing back', async () => {
    const { primary, bucket, breakDown, mend } = openBooking("open");
    await primary.put({ key: "ada", weight: 3 });
    breakDown();
    const booking = await new Limiter(bucket).reserve("ada", 2);
    mend();
    await booking.cancel();
    expect(await primary.count("ada")).toBe(3);
  });

  test("wrong arguments and a closed bucket are thrown as ever, and count as no failure", async () => {
    const { primary, bucket } = open(() => "open", { failures: 1, coolDown: 1000 });
    await expect(bucket.put({ key: "ada", weight: -1 })).rejects.toThrow(RangeError);
    await primary.close();
    await expect(bucket.put({ key: "ada" })).rejects.toThrow(LimiterError);
    await expect(bucket.put({ key: "ada" })).rejects.toMatchObject({ code: "CLOSED" });
  });

  test("closes both, and refuses what it cannot fall back to", async () => {
    const other = new InMemoryBucket("1/s");
    const { bucket, primary } = open(() => other);
    await bucket.close();
    expect(() => other.put({ key: "ada" })).toThrow("closed");
    expect(primary.disconnected).toBe(1);
    expect(() => withFallback(primary, "ajar" as "open")).toThrow('Cannot fall back to "ajar"');
    expect(() => withFallback(primary, "open", { breaker: { failures: 0 } })).toThrow(RangeError);
  });
});
