import { AsyncLocalStorage } from "node:async_hooks";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ManualClock } from "../src/clock/manual-clock.js";
import { MonotonicClock } from "../src/clock/monotonic-clock.js";
import { SystemClock } from "../src/clock/system-clock.js";

describe("ManualClock", () => {
  test("fires timers in the order in which they fall due, each at its own instant", () => {
    const clock = new ManualClock(100);
    const fired: [string, number][] = [];
    const note = (name: string) => () => fired.push([name, clock.now()]);
    clock.schedule(50, note("late"));
    clock.schedule(10, () => {
      note("early")();
      clock.schedule(5, note("set on the way"));
    });
    clock.schedule(10, note("early too"));
    const cancel = clock.schedule(20, note("cancelled"));
    cancel();
    clock.advance(50);
    expect(fired).toEqual([
      ["early", 110],
      ["early too", 110],
      ["set on the way", 115],
      ["late", 150],
    ]);
    expect(clock.now()).toBe(150);
    expect(clock.pending).toBe(0);
  });

  test("fires no timer before it is due, and none when it steps back", () => {
    const clock = new ManualClock(1000);
    let fired = 0;
    clock.schedule(0.001, () => fired++);
    clock.set(0);
    expect([clock.now(), fired]).toEqual([0, 0]);
    clock.set(1000);
    expect(fired).toBe(0);
    clock.set(1000.001);
    expect(fired).toBe(1);
  });

  test("a timer may move the clock: it ends where the furthest move ends", () => {
    const clock = new ManualClock();
    clock.schedule(500, () => clock.advance(5000));
    clock.advance(1000);
    expect(clock.now()).toBe(5500);
    clock.schedule(100, () => clock.advance(50));
    clock.advance(1000);
    expect(clock.now()).toBe(6500);
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])("refuses to be set to, or advanced by, %d", (ms) => {
    expect(() => new ManualClock(ms)).toThrow(RangeError);
    expect(() => new ManualClock().advance(ms)).toThrow(RangeError);
  });
});

describe("MonotonicClock and SystemClock", () => {
  test("tell milliseconds since 1970", () => {
    expect(Math.abs(new MonotonicClock().now() - Date.now())).toBeLessThan(60_000);
    expect(Math.abs(new SystemClock().now() - Date.now())).toBeLessThan(1000);
  });
});

describe("AbstractClock.schedule()", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
  afterEach(() => void vi.useRealTimers());

  test("waits for delays beyond 2^31 ms, which setTimeout would fire at once", () => {
    const fired = vi.fn();
    new MonotonicClock().schedule(3 * 2 ** 31, fired);
    vi.advanceTimersByTime(3 * 2 ** 31 - 1);
    expect(fired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(fired).toHaveBeenCalledTimes(1);
  });

  test("does not fire early for a fraction of a millisecond", () => {
    const fired = vi.fn();
    const clock = new SystemClock();
    const start = clock.elapsed();
    clock.schedule(1.5, () => fired(clock.elapsed() - start));
    vi.advanceTimersByTime(10);
    expect(fired).toHaveBeenCalledWith(2);
  });

  test("takes a timer back", () => {
    const fired = vi.fn();
    const cancel = new SystemClock().schedule(3 * 2 ** 31, fired);
    vi.advanceTimersByTime(2 ** 31);
    cancel();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("AbstractClock.schedule(), on the runtime's own timers", () => {
  test("fires outside the context of whoever set the timer", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen = await new Promise((resolve) => {
      storage.run("a request", () => new SystemClock().schedule(0, () => resolve([storage.getStore()])));
    });
    expect(seen).toEqual([undefined]);
  });
});
