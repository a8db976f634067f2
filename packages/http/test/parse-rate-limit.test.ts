import { parseRateLimit } from "@sluice/http";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const SECOND = 1000;

describe("parseRateLimit()", () => {
  test("draft 11: joins the policies and what is left of them by name", () => {
    const headers = {
      "ratelimit-policy": '"burst";q=100;w=60,"daily";q=1000;w=86400;qu="requests";pk=:c2w=:',
      ratelimit: '"daily";r=7;t=3600, "burst";r=50;t=30',
    };
    expect(parseRateLimit(headers, NOW)).toEqual({
      limits: [
        { policy: "burst", limit: 100, window: 60 * SECOND, remaining: 50, resetAfter: 30 * SECOND },
        { policy: "daily", limit: 1000, window: 86_400 * SECOND, remaining: 7, resetAfter: 3600 * SECOND },
      ],
    });
  });

  test("draft 8 as express-rate-limit writes it, which ratelimit-header-parser reads as NaN", () => {
    const headers = new Headers({
      "RateLimit-Policy": '"5-in-1min"; q=5; w=60; pk=:NzY3OTVmMjBlZGYx:',
      RateLimit: '"5-in-1min"; r=4; t=60',
    });
    const limit = { policy: "5-in-1min", limit: 5, window: 60 * SECOND, remaining: 4, resetAfter: 60 * SECOND };
    expect(parseRateLimit(headers, NOW).limits).toEqual([limit]);
  });

  test("names may hold quotes, backslashes and __proto__", () => {
    const { limits } = parseRateLimit({ ratelimit: '"a\\"b\\\\;r=9";r=1;t=2, "__proto__";r=3' }, NOW);
    expect(limits).toEqual([
      { policy: 'a"b\\;r=9', remaining: 1, resetAfter: 2 * SECOND },
      { policy: "__proto__", remaining: 3 },
    ]);
  });

  test("a policy without a quota for now, and one without a window", () => {
    expect(parseRateLimit({ "ratelimit-policy": '"a";q=10' }, NOW).limits).toEqual([{ policy: "a", limit: 10 }]);
    expect(parseRateLimit({ ratelimit: "default;r=10" }, NOW).limits).toEqual([{ policy: "default", remaining: 10 }]);
  });

  test("draft 7: the limit nearest its end, and the other quotas behind it", () => {
    const headers = { "RateLimit-Policy": "1000;w=3600, 5;w=60", RateLimit: "limit=5, remaining=4, reset=60" };
    expect(parseRateLimit(headers, NOW).limits).toEqual([
      { limit: 5, remaining: 4, resetAfter: 60 * SECOND, window: 60 * SECOND },
      { limit: 1000, window: 3600 * SECOND },
    ]);
  });

  test("draft 6, and the quotas that earlier drafts listed in RateLimit-Limit", () => {
    const told = { limit: 5, remaining: 4, resetAfter: 60 * SECOND, window: 60 * SECOND };
    const fields = { "ratelimit-remaining": "4", "ratelimit-reset": "60" };
    const headers = { ...fields, "ratelimit-limit": "5", "ratelimit-policy": "5;w=60" };
    expect(parseRateLimit(headers, NOW).limits).toEqual([told]);
    const early = { ...fields, "ratelimit-limit": "5, 5;w=60, 100;w=3600" };
    expect(parseRateLimit(early, NOW).limits).toEqual([told, { limit: 100, window: 3600 * SECOND }]);
  });

  test.each([
    ["GitHub: Unix seconds", "X-RateLimit", "1767323055", 10 * SECOND],
    ["X: the same with another name", "X-Rate-Limit", "1767323055", 10 * SECOND],
    ["Upstash: Unix milliseconds", "X-RateLimit", "1767323055500", 10.5 * SECOND],
    ["Reddit: seconds from now", "X-Ratelimit", "10", 10 * SECOND],
    ["Vimeo: a date", "X-RateLimit", "2026-01-02T03:04:15+00:00", 10 * SECOND],
    ["OpenAI: a span", "x-ratelimit", "6m0s", 360 * SECOND],
    ["a time in the past", "X-RateLimit", "1767323000", 0],
  ])("legacy, %s", (_, prefix, reset, resetAfter) => {
    const headers = { [`${prefix}-Limit`]: "60", [`${prefix}-Remaining`]: "59.0", [`${prefix}-Reset`]: reset };
    expect(parseRateLimit(headers, NOW).limits).toEqual([{ limit: 60, remaining: 59, resetAfter }]);
  });

  test("legacy, Discord: a bucket, and seconds with a fraction", () => {
    const headers = {
      "x-ratelimit-limit": "5",
      "x-ratelimit-reset": "1470173023.123",
      "x-ratelimit-reset-after": "64.57",
      "x-ratelimit-bucket": "abcd1234",
    };
    expect(parseRateLimit(headers, NOW).limits).toEqual([{ policy: "abcd1234", limit: 5, resetAfter: 64_570 }]);
  });

  test("of several forms the newest is taken", () => {
    const headers = { ratelimit: '"a";r=1', "ratelimit-remaining": "2", "x-ratelimit-remaining": "3" };
    expect(parseRateLimit(headers, NOW).limits).toEqual([{ policy: "a", remaining: 1 }]);
  });

  test.each([
    ["120", 120 * SECOND],
    [" 0 ", 0],
    ["1.5", 1500],
    ["Fri, 02 Jan 2026 03:04:35 GMT", 30 * SECOND],
    ["Friday, 02-Jan-26 03:04:35 GMT", 30 * SECOND],
    ["Fri Jan  2 03:04:35 2026", 30 * SECOND],
    ["Thu, 01 Jan 2026 00:00:00 GMT", 0],
  ])("Retry-After: %s", (text, retryAfter) => {
    expect(parseRateLimit({ "Retry-After": text }, NOW)).toEqual({ retryAfter, limits: [] });
  });

  test("a date without a zone is GMT, wherever the client is", () => {
    vi.stubEnv("TZ", "Asia/Tokyo");
    try {
      expect(new Date(NOW).getHours()).toBe(12);
      const { retryAfter } = parseRateLimit({ "retry-after": "Fri Jan  2 03:04:35 2026" }, NOW);
      expect(retryAfter).toBe(30 * SECOND);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test.each(["", "-5", "soon", "5 minutes", "Fri, 42 Jan 2026 03:04:35 GMT", "NaN", "Infinity", "1e9", "0x10"])(
    "Retry-After %j is none",
    (text) => {
      expect(parseRateLimit({ "retry-after": text }, NOW)).toEqual({ limits: [] });
    },
  );

  test("malformed numbers and lists count as absent", () => {
    const broken = ['"a";r=-1;t=-5', '"a";r="1";t=?1', '"a;r=1', '("a" "b");r=1', "limit=x", "=", ";;;", "limit=-1"];
    for (const ratelimit of broken) {
      const numbers = parseRateLimit({ ratelimit }, NOW).limits.map(({ policy: _, ...rest }) => rest);
      expect(numbers.filter((rest) => Object.keys(rest).length > 0)).toEqual([]);
    }
    expect(parseRateLimit({ "x-ratelimit-limit": "many", "x-ratelimit-reset": "-1" }, NOW).limits).toEqual([]);
  });

  test("nothing that a server sends makes it throw, and every number is 0 or more", () => {
    const names = ["ratelimit", "ratelimit-policy", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"];
    const older = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "x-ratelimit-reset-after"];
    const name = fc.constantFrom(...names, ...older, "retry-after", "retry-after-ms");
    const scraps = fc.constantFrom(
      '"a"',
      ";r=",
      ";q=",
      ";w=",
      ";t=",
      "=",
      ",",
      "5",
      "-1",
      "99999999999999999",
      " ",
      "1s",
    );
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      fc.array(scraps).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(fc.dictionary(name, fc.oneof(text, fc.array(text))), (headers) => {
        const { retryAfter = 0, limits } = parseRateLimit(headers, NOW);
        for (const { limit = 0, remaining = 0, resetAfter = 0, window = 1 } of limits) {
          expect([limit, remaining, resetAfter, window].every((n) => Number.isFinite(n) && n >= 0)).toBe(true);
        }
        expect(Number.isFinite(retryAfter) && retryAfter >= 0).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
