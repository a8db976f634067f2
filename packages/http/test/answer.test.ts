import { type Decision, Rate } from "@sluice/core";
import { parseRateLimit, type Serializer } from "@sluice/http";
import fc from "fast-check";
import { parseList } from "structured-headers";
import { describe, expect, test } from "vitest";
import { beside } from "../src/answer/beside.js";
import { compileBody } from "../src/answer/body.js";
import { type PolicyDecision, termsOf } from "../src/answer/policy-terms.js";
import { overloaded, refuse, retryAfterField } from "../src/answer/refuse.js";
import { compileFields, type FieldForm, type FieldsOption } from "../src/answer/serializers.js";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const FORMS: readonly FieldForm[] = ["draft-11", "draft-8", "draft-7", "draft-6", "legacy"];

/** A decision of a policy, with 30.5 s until it is as good as new. */
function told(name: string, quota: number, window: number, decision: Partial<Decision> = {}): PolicyDecision {
  const terms = termsOf(name, quota, window);
  const answer = { allowed: true, remaining: quota, retryAfter: 0, resetAfter: 30_500, degraded: false };
  const rate = new Rate(1, 1000);
  return { name, quota, window, shadow: false, terms, decision: { ...answer, rate, ...decision } };
}

/** The fields that a form writes, by name. */
function written(option: FieldsOption, ...decisions: PolicyDecision[]): Record<string, string> {
  return Object.fromEntries(compileFields(option)(decisions, () => NOW));
}

const burst = told("burst", 100, 60_000, { remaining: 50 });
const daily = told("daily", 1000, 86_400_000, { remaining: 7, resetAfter: 3_600_000 });

describe("fields", () => {
  test("draft-11 lists all policies, and is the default", () => {
    const fields = {
      "RateLimit-Policy": '"burst";q=100;w=60, "daily";q=1000;w=86400',
      RateLimit: '"burst";r=50;t=31, "daily";r=7;t=3600',
    };
    expect(written("draft-11", burst, daily)).toEqual(fields);
    expect(Object.fromEntries(compileFields()([burst, daily], () => NOW))).toEqual(fields);
  });

  test("draft-8 is spaced as express-rate-limit does it", () => {
    expect(written("draft-8", burst, daily)).toEqual({
      "RateLimit-Policy": '"burst"; q=100; w=60, "daily"; q=1000; w=86400',
      RateLimit: '"burst"; r=50; t=31, "daily"; r=7; t=3600',
    });
  });

  test("draft-7 tells the numbers of the limit that has the least left", () => {
    expect(written("draft-7", burst, daily)).toEqual({
      "RateLimit-Policy": "100;w=60, 1000;w=86400",
      RateLimit: "limit=1000, remaining=7, reset=3600",
    });
  });

  test("draft-6 tells them in a field each", () => {
    expect(written("draft-6", burst)).toEqual({
      "RateLimit-Policy": "100;w=60",
      "RateLimit-Limit": "100",
      "RateLimit-Remaining": "50",
      "RateLimit-Reset": "31",
    });
  });

  test("legacy tells the reset in Unix seconds, rounded up", () => {
    const reset = String(Math.ceil((NOW + 30_500) / 1000));
    const fields = { "X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "50", "X-RateLimit-Reset": reset };
    expect(written("legacy", burst)).toEqual(fields);
  });

  test("of several refusals the one that lasts longest is nearest, whatever is left elsewhere", () => {
    const refused = told("burst", 100, 60_000, { allowed: false, remaining: 3, retryAfter: 10 });
    const longer = told("hourly", 500, 3_600_000, { allowed: false, remaining: 4, retryAfter: 20 });
    const exhausted = told("daily", 1000, 86_400_000, { remaining: 0 });
    expect(written("draft-6", refused, longer, exhausted)["RateLimit-Limit"]).toBe("500");
  });

  test("false is none, and several are written at once", () => {
    expect(written(false, burst)).toEqual({});
    expect(Object.keys(written(["draft-11", "legacy"], burst))).toEqual([
      "RateLimit-Policy",
      "RateLimit",
      "X-RateLimit-Limit",
      "X-RateLimit-Remaining",
      "X-RateLimit-Reset",
    ]);
  });

  test("a serializer of one's own is called with the decisions and the time", () => {
    const left: Serializer = ([first], now) => [["X-Left", `${first?.decision.remaining} at ${now()}`]];
    expect(written(left, burst)).toEqual({ "X-Left": `50 at ${NOW}` });
    expect(written([left, "draft-6"], burst)).toMatchObject({ "X-Left": `50 at ${NOW}`, "RateLimit-Limit": "100" });
  });

  test("two forms that write the same field, and a form that is none, are refused", () => {
    expect(() => compileFields(["draft-11", "draft-7"])).toThrow(/both write RateLimit-Policy\. Choose one/);
    expect(() => compileFields(["draft-6", "draft-6"])).toThrow(RangeError);
    expect(() => compileFields("draft-9" as never)).toThrow(/the forms are draft-11, /);
    expect(() => compileFields("constructor" as never)).toThrow(RangeError);
  });

  test("no more is left than the quota, a window has a second, and no integer is too large for RFC 9651", () => {
    const odd = told("odd", 5, 0.5, { remaining: 9 });
    expect(written("draft-11", odd)).toEqual({ "RateLimit-Policy": '"odd";q=5;w=1', RateLimit: '"odd";r=5;t=31' });
    const huge = told("huge", Number.MAX_SAFE_INTEGER, Number.MAX_VALUE, { resetAfter: Number.MAX_VALUE });
    for (const form of ["draft-11", "draft-8"] as const) {
      const fields = written(form, huge);
      for (const value of Object.values(fields)) expect(parseList(value)).toHaveLength(1);
    }
  });
});

const unit = fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code));
const names = fc.uniqueArray(fc.string({ unit, minLength: 1 }), { minLength: 1, maxLength: 4 });
const numbers = fc.record({
  quota: fc.integer({ min: 1, max: 1_000_000 }),
  window: fc.integer({ min: 1, max: 86_400 }).map((seconds) => seconds * 1000),
  left: fc.nat(1_000_000),
  resetAfter: fc.nat(86_400_000),
});
const policies = names.chain((list) =>
  fc
    .array(numbers, { minLength: list.length, maxLength: list.length })
    .map((of) =>
      of.map(({ quota, window, left, resetAfter }, index) =>
        told(list[index] as string, quota, window, { remaining: Math.min(left, quota), resetAfter }),
      ),
    ),
);

describe("parseRateLimit() reads back what is written:", () => {
  test.each(FORMS)("%s", (form) => {
    fc.assert(
      fc.property(policies, (decisions) => {
        const { limits } = parseRateLimit(written(form, ...decisions), NOW);
        const read = limits[0];
        const source = form.startsWith("draft-1") || form === "draft-8" ? decisions[0] : fewestLeft(decisions);
        expect(read?.limit).toBe(source?.quota);
        expect(read?.remaining).toBe(source?.decision.remaining);
        const resetAfter = Math.ceil((source?.decision.resetAfter ?? 0) / 1000) * 1000;
        expect(read?.resetAfter).toBe(resetAfter);
      }),
    );
  });

  test.each(["draft-11", "draft-8"] as const)("%s, all policies by name", (form) => {
    fc.assert(
      fc.property(policies, (decisions) => {
        const expected = decisions.map(({ name, quota, window, decision }) => {
          const resetAfter = Math.ceil(decision.resetAfter / 1000) * 1000;
          return { policy: name, limit: quota, window, remaining: decision.remaining, resetAfter };
        });
        expect(parseRateLimit(written(form, ...decisions), NOW).limits).toEqual(expected);
      }),
    );
  });

  test("Retry-After", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e12, noNaN: true }), (ms) => {
        const [, value = ""] = retryAfterField(ms) ?? [];
        const { retryAfter = 0 } = parseRateLimit({ "Retry-After": value }, NOW);
        expect(retryAfter).toBeGreaterThanOrEqual(Math.max(ms, 1000));
        expect(retryAfter).toBeLessThan(Math.max(ms, 1) + 1000);
      }),
    );
  });
});

/** The decision with the fewest units left; the first of several. */
function fewestLeft(decisions: readonly PolicyDecision[]): PolicyDecision | undefined {
  return [...decisions].sort((a, b) => a.decision.remaining - b.decision.remaining)[0];
}

describe("names of policies", () => {
  test.each([
    ['a"b', '"a\\"b"'],
    ["a\\", '"a\\\\"'],
    ['";r=99, "x', '"\\";r=99, \\"x"'],
  ])("%j cannot break out of its string", (name, label) => {
    expect(termsOf(name, 1, 1000).label).toBe(label);
    expect(written("draft-11", told(name, 1, 1000))["RateLimit-Policy"]).toBe(`${label};q=1;w=1`);
    expect(written("draft-8", told(name, 1, 1000))["RateLimit-Policy"]).toBe(`${label}; q=1; w=1`);
  });

  test.each(["a\nb", "a\r\nSet-Cookie: x", "\u0000", "bürst", "日次", "\u007f", ""])(
    "%j is refused, with the way out",
    (name) => {
      expect(() => termsOf(name, 1, 1000)).toThrow(TypeError);
      expect(() => termsOf(name, 1, 1000)).toThrow(/printable ASCII.*Name it as in "[\x20-\x7e]+"\.$/);
    },
  );
});

describe("Retry-After", () => {
  test.each([
    [0, "1"],
    [0.001, "1"],
    [1000, "1"],
    [1000.001, "2"],
    [59_999, "60"],
  ])("%f ms is %s s: whole seconds, rounded up, never 0", (ms, seconds) => {
    expect(retryAfterField(ms)).toEqual(["Retry-After", seconds]);
  });

  test("is not sent where no wait will help", () => {
    expect(retryAfterField(Number.POSITIVE_INFINITY)).toBeUndefined();
  });
});

describe("refusals", () => {
  const refusal = { status: 429, problem: "quota-exceeded", retryAfter: 2001, violated: ["burst", 'a"b'] } as const;

  test("problem details name the type, the status and the violated policies", () => {
    const answer = refuse(refusal, compileBody(), [["RateLimit", '"burst";r=0']]);
    expect(answer.status).toBe(429);
    expect(answer.fields).toEqual([
      ["RateLimit", '"burst";r=0'],
      ["Retry-After", "3"],
    ]);
    expect(answer.body.type).toBe("application/problem+json");
    expect(JSON.parse(answer.body.text)).toEqual({
      type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
      title: "Quota exceeded",
      status: 429,
      detail: 'The quota of "burst" and "a\\"b" is used up. Retry in 3 s.',
      "violated-policies": ["burst", 'a"b'],
    });
  });

  test("what can never be admitted is told so, and not to come again", () => {
    const { fields, body } = refuse({ ...refusal, retryAfter: Number.POSITIVE_INFINITY }, compileBody("text"));
    expect(fields).toEqual([]);
    expect(body.text).toContain("It can never be admitted.");
  });

  test("adds to lists of named policies, and to no other form or field", () => {
    expect(beside('"a";r=1;t=1', ["RateLimit", '"b";r=2;t=2'])).toBe('"a";r=1;t=1, "b";r=2;t=2');
    expect(beside(undefined, ["RateLimit-Policy", '"b";q=2;w=2'])).toBe('"b";q=2;w=2');
    expect(beside("limit=5, remaining=4, reset=60", ["RateLimit", '"b";r=2;t=2'])).toBe('"b";r=2;t=2');
    expect(beside('"a";q=1;w=1', ["RateLimit-Policy", "5;w=60"])).toBe("5;w=60");
    expect(beside('"a"', ["ETag", '"b"'])).toBe('"b"');
  });

  test("an overloaded server answers 503 with reduced capacity, and blames no policy", () => {
    const { status, fields, body } = overloaded(250, compileBody("problem"));
    expect([status, fields]).toEqual([503, [["Retry-After", "1"]]]);
    expect(JSON.parse(body.text)).toEqual({
      type: "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
      title: "Server overloaded",
      status: 503,
      detail: "The server has more to do than it can do now. Retry in 1 s.",
    });
  });

  test("the body is plain text or one's own by option", () => {
    const text = 'Quota exceeded. The quota of "burst" is used up. Retry in 3 s.\n';
    const one = { ...refusal, violated: ["burst"] };
    expect(refuse(one, compileBody("text")).body).toEqual({ type: "text/plain; charset=utf-8", text });
    const own = compileBody(({ retryAfter }) => ({ type: "text/html", text: `<p>${retryAfter}` }));
    expect(refuse(one, own).body).toEqual({ type: "text/html", text: "<p>2001" });
    expect(() => compileBody("toString" as never)).toThrow(RangeError);
  });
});
