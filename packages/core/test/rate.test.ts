import { describe, expect, test } from "vitest";
import { Duration } from "../src/duration.js";
import { Rate } from "../src/rate.js";
import { validateRates } from "../src/validate-rates.js";

describe("Rate", () => {
  test.each([
    ["100/min", 100, 60_000, 100],
    ["5 per 10s", 5, 10_000, 5],
    ["1000/h burst 50", 1000, 3_600_000, 50],
    ["1_000/1m30s, burst=20", 1000, 90_000, 20],
    ["2/250ms", 2, 250, 2],
  ])("parse() reads %j", (text, limit, interval, burst) => {
    expect(Rate.parse(text)).toMatchObject({ limit, interval, burst });
  });

  test.each(["", "100", "/min", "fast", "10/parsec", "-5/min", "1.5/min", "0/min", "10/min burst", "10/0s"])(
    "parse() refuses %j",
    (text) => {
      expect(() => Rate.parse(text)).toThrow(RangeError);
    },
  );

  test("toString() is read back by parse()", () => {
    for (const text of ["100/1m", "1000/1h burst 50", "3/1d2ms1us"]) expect(String(Rate.parse(text))).toBe(text);
  });

  test("rounds the interval to a microsecond", () => {
    expect(new Rate(1, 0.0014).interval).toBe(0.001);
    expect(() => new Rate(1, 0.0004)).toThrow(RangeError);
  });

  test("says what is wrong, why, and what to do", () => {
    expect(() => new Rate(0, 1000)).toThrow("Cannot use 0 as a limit: it is a whole number from 1");
    expect(() => new Rate("5" as unknown as number, 1000)).toThrow(TypeError);
    expect(() => new Rate(5, "1s" as unknown as number)).toThrow(/Rate\.parse/);
    expect(() => new Rate(5, 1000, Number.NaN)).toThrow(RangeError);
    expect(() => new Rate(5, Number.POSITIVE_INFINITY)).toThrow(RangeError);
    expect(() => Rate.from(5 as unknown as string)).toThrow(TypeError);
  });

  test("cannot be changed", () => {
    const rate = new Rate(5, 1000);
    expect(() => Object.assign(rate, { limit: 6 })).toThrow(TypeError);
  });
});

describe("validateRates()", () => {
  test("sorts by interval", () => {
    expect(validateRates(["1000/h", "10/s", new Rate(100, Duration.MINUTE)]).map(String)).toEqual([
      "10/1s",
      "100/1m",
      "1000/1h",
    ]);
  });

  test("takes a single rate, and equal density", () => {
    expect(validateRates("5/s")).toHaveLength(1);
    expect(validateRates(["5/s", "10/2s"])).toHaveLength(2);
  });

  test.each([
    [[], /empty list/],
    [["5/s", "5/s"], /share the interval of 1s/],
    [["5/s", "6/1000ms"], /share the interval/],
    [["5/s", "5/min"], /the shorter rate can never bind/],
    [["5/s", "4/min"], /the shorter rate can never bind/],
    [["5/s", "301/min"], /it can never bind/],
  ])("refuses %j", (rates, message) => {
    expect(() => validateRates(rates)).toThrow(RangeError);
    expect(() => validateRates(rates)).toThrow(message);
  });

  test("refuses what is not a rate", () => {
    expect(() => validateRates([undefined as unknown as string])).toThrow(TypeError);
  });
});
