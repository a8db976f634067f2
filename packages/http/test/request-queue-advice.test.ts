import { ManualClock } from "@sluice/core";
import { RequestQueue } from "@sluice/http";
import { describe, expect, test } from "vitest";

/** A queue that has served so many requests, one by one where it refused none, and refused so many. */
async function worn(served: number, refused: number, maxConcurrent = 4) {
  const queue = new RequestQueue({ maxConcurrent, maxDepth: 1000, maxWait: 0, clock: new ManualClock() });
  for (let i = 0; i < served - maxConcurrent; i++) queue.tryAcquire()?.release();
  const held = Array.from({ length: refused > 0 ? maxConcurrent : 0 }, () => queue.tryAcquire());
  for (let i = 0; i < maxConcurrent - held.length; i++) queue.tryAcquire()?.release();
  for (let i = 0; i < refused; i++) await queue.acquire().catch(() => {});
  expect(queue.metrics).toMatchObject({ admitted: served, rejected: { timeout: refused } });
  return queue;
}

describe("RequestQueue.advice()", () => {
  test.each([
    [10, 5, "not-enough-data"],
    [94, 6, "scale-up"],
    [9499, 501, "scale-up"],
    [9500, 500, "watch"],
    [9899, 101, "watch"],
    [9900, 100, "right-sized"],
    [9990, 10, "right-sized"],
    [999, 0, "not-enough-data"],
    [1000, 0, "may-be-smaller"],
  ])("with %d served and %d refused it is %s", async (served, refused, verdict) => {
    expect((await worn(served, refused)).advice().verdict).toBe(verdict);
  });

  test("gives its reason in numbers", async () => {
    const reason = async (served: number, refused: number) => (await worn(served, refused)).advice().reason;
    expect(await reason(90, 10)).toBe("10 % of 100 requests were refused, more than 5 %. Add capacity, or send less.");
    expect(await reason(9990, 10)).toBe("0.1 % of 10000 requests were refused, no more than 1 %. Leave it as it is.");
    expect(await reason(5, 0)).toBe("5 requests came so far, and 100 are needed.");
    expect(await reason(2000, 0)).toBe(
      "Nobody was refused or had to wait, and no more than 1 of 4 slots were ever in use. Less capacity may do.",
    );
  });

  test("a queue that is often full, though it refuses nobody, asks for replicas", async () => {
    const queue = new RequestQueue({ maxConcurrent: 1, maxDepth: 10, clock: new ManualClock() });
    for (let round = 0; round < 20; round++) {
      const slots = [queue.tryAcquire(), ...Array.from({ length: 10 }, () => queue.acquire())];
      for (const slot of slots) (await slot)?.release();
    }
    expect(queue.metrics.rejectionRate).toBe(0);
    // One of eleven found nine tenths of the places taken: often, but not too often.
    expect(queue.metrics.crowdedRate).toBeCloseTo(1 / 11);
    for (let round = 0; round < 20; round++) {
      const slots = [queue.tryAcquire(), ...Array.from({ length: 10 }, () => queue.acquire())];
      for (const slot of slots.slice(0, 6)) (await slot)?.release();
      slots.push(...Array.from({ length: 6 }, () => queue.acquire()));
      for (const slot of slots) (await slot)?.release();
    }
    expect(queue.advice().verdict).toBe("add-replicas");
    expect(queue.active).toBe(0);
  });

  test("a queue in which many waited and nobody was refused is no smaller than it should be", async () => {
    const queue = new RequestQueue({ maxConcurrent: 1, clock: new ManualClock() });
    for (let i = 0; i < 1000; i++) {
      const slot = queue.tryAcquire();
      const waiting = queue.acquire();
      slot?.release();
      (await waiting).release();
    }
    expect(queue.advice().verdict).toBe("right-sized");
    queue.resetMetrics();
    expect(queue.advice().verdict).toBe("not-enough-data");
  });
});
