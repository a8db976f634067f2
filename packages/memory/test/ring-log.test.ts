import { type Log, Rate, slidingWindowLog } from "@sluice/core";
import { describe, expect, test } from "vitest";
import { LOG_WIDTH, RingLog } from "../src/ring-log.js";
import { Rings } from "../src/rings.js";

describe("RingLog", () => {
  test("gives the rings that it outgrew, and its last one, back for others to use", () => {
    const rings = new Rings();
    const log = new RingLog(new Float64Array(LOG_WIDTH), rings);
    for (let i = 1; i <= 5; i++) log.append(i, 1);
    // Rings of 1, 2 and 4 entries lay before the one of 8 that the log has now.
    expect([1, 2, 4].map((capacity) => rings.take(capacity))).toEqual([0, 1, 3]);
    log.release();
    expect(rings.take(8)).toBe(7);
    expect([log.size, ...log.numbers]).toEqual(new Array(LOG_WIDTH + 1).fill(0));
  });

  test("wraps around in its ring, and counts from what is still there", () => {
    const log = new RingLog(new Float64Array(LOG_WIDTH), new Rings());
    for (let i = 0; i < 1000; i++) {
      log.append(i, 1 + (i % 3));
      if (log.size > 5) log.dropOldest(2);
    }
    const entries = Array.from({ length: log.size }, (_, i) => [log.time(i), log.total(i) - log.total(i - 1)]);
    expect(entries).toEqual([996, 997, 998, 999].map((i) => [i, 1 + (i % 3)]));
  });

  test.each([
    ["RingLog", () => new RingLog(new Float64Array(LOG_WIDTH), new Rings())],
    ["the kernel's own log", () => slidingWindowLog.compile([new Rate(1, 1)]).fresh() as Log],
  ])("counts units beyond 2^53 one by one: %s", (_, make) => {
    const log = make();
    const weight = 2 ** 51 + 1;
    for (let i = 0; i < 50; i++) {
      log.append(i, weight);
      if (log.size > 3) log.dropOldest(1);
      expect(log.total(log.size - 1) - log.total(log.size - 2)).toBe(weight);
    }
    expect(log.total(2)).toBe(3 * weight);
  });
});
