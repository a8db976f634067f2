import { type AbstractBucket, fixedWindow, LimiterError, ManualClock, type Mode, withFallback } from "@sluice/core";
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
