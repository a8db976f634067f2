import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Duration, toMicroseconds, toMilliseconds } from "../src/duration.js";

describe("Duration.parse()", () => {
  test.each([
    ["250ms", 250],
    ["1m30s", 90_000],
    ["1.5 hours", 5_400_000],
    ["1h 30m", 5_400_000],
    ["min", 60_000],
    ["2 Days", 172_800_000],
    ["1w", 604_800_000],
    ["10us", 0.01],
    ["10µs", 0.01],
    [" .5s ", 500],
  ])("reads %j as %d ms", (text, ms) => {
    expect(Duration.parse(text)).toBe(ms);
  });

  test.each(["", "5", "1 parsec", "1m30", "m30s", "1h min", "-1s", "1,5s", "1e3s"])("refuses %j", (text) => {
    expect(() => Duration.parse(text)).toThrow(RangeError);
    expect(() => Duration.parse(text)).toThrow(`Cannot read ${JSON.stringify(text)} as a duration`);
  });
});

describe("Duration.readable()", () => {
  test.each([
    [0, "0ms"],
    [90_000, "1m30s"],
    [0.001, "1us"],
    [86_400_001.5, "1d1ms500us"],
    [-1500, "-1s500ms"],
    [Number.POSITIVE_INFINITY, "forever"],
  ])("prints %d ms as %j", (ms, text) => {
    expect(Duration.readable(ms)).toBe(text);
  });

  test("is read back by parse, to the microsecond", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 ** 15 }), (us) => {
        expect(toMicroseconds(Duration.parse(Duration.readable(toMilliseconds(us))))).toBe(us);
      }),
    );
  });

  test("named durations add and multiply as numbers do", () => {
    expect(Duration.MINUTE + 30 * Duration.SECOND).toBe(Duration.parse("1m30s"));
  });
});
