import { describe, expect, test } from "vitest";
import * as sluice from "../src/index.js";

describe("createLimiter()", () => {
  test("passes its options to bucket, limiter and sweeps", async () => {
    const clock = new sluice.ManualClock();
    const leakClock = new sluice.ManualClock();
    const { tokenBucket: algorithm } = sluice;
    const options = { algorithm, clock, maxKeys: 7, name: "mail", maxQueue: 0, leakInterval: 500, leakClock };
    using limiter = sluice.createLimiter("10/s burst 20", options);
    expect(limiter.name).toBe("mail");
    const [bucket] = limiter.buckets();
    expect(bucket).toMatchObject({ maxKeys: 7, algorithm });
    expect(limiter.consume("ada", 20).remaining).toBe(0);
    await expect(limiter.acquire("ada")).rejects.toMatchObject({ code: "QUEUE_FULL" });
    expect(leakClock.pending).toBe(1);
  });

  test("keeps a limit exactly by default, as the log does", () => {
    const clock = new sluice.ManualClock();
    const limiter = sluice.createLimiter("2/s", { clock });
    expect((limiter.buckets()[0] as sluice.InMemoryBucket).algorithm).toBe(sluice.slidingWindowLog);
  });

  test("says what to do about a burst that the algorithm does not know", () => {
    expect(() => sluice.createLimiter("10/s burst 20")).toThrow("choose tokenBucket");
    expect(() => sluice.createLimiter("lots")).toThrow('Write it as "100/min"');
  });
});
