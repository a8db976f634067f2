import {
  Budget,
  createLimiter,
  InMemoryBucket,
  LimiterError,
  ManualClock,
  RateLimitExceededError,
  toAsync,
  tokenBucket,
} from "sluice";
import { describe, expect, test } from "vitest";

const LIMITS = { rpm: "5/min", inputTokens: "3000/min", outputTokens: "800/min" } as const;
const settle = () => new Promise((resolve) => setImmediate(resolve));

function open() {
  const clock = new ManualClock();
  return { clock, budget: new Budget(LIMITS, { clock }) };
}

describe("Budget", () => {
  test("takes a request before the call and charges what the answer really cost, into debt", async () => {
    const { clock, budget } = open();
    await budget.acquirePreCall();
    await budget.acquireUsage({ inputTokens: 1000, outputTokens: 900 });
    expect(await budget.remaining()).toEqual({ rpm: 4, inputTokens: 2000, outputTokens: 0 });
    let called = false;
    const next = budget.acquirePreCall().then(() => {
      called = true;
    });
    // 100 in debt, and one must be there: 101 of 800 a minute.
    clock.advance((101 / 800) * 60_000 - 1);
    await settle();
    expect(called).toBe(false);
    clock.advance(1.001);
    await next;
    expect((await budget.remaining()).outputTokens).toBe(1);
  });

  test("reserves an estimate, all or none, and settles the difference in either direction", async () => {
    const { budget } = open();
    const reservation = await budget.reserve({ inputTokens: 2000, outputTokens: 500 });
    expect(await budget.remaining()).toEqual({ rpm: 4, inputTokens: 1000, outputTokens: 300 });
    const refused: unknown = await budget
      .reserve({ inputTokens: 100, outputTokens: 400 }, { timeout: 0 })
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RateLimitExceededError);
    expect(refused).toMatchObject({ limiter: "outputTokens", weight: 400, decision: { allowed: false } });
    expect(await budget.remaining()).toEqual({ rpm: 4, inputTokens: 1000, outputTokens: 300 });
    await reservation.commit({ inputTokens: 2500, outputTokens: 100 });
    expect(await budget.remaining()).toEqual({ rpm: 4, inputTokens: 500, outputTokens: 700 });
    await reservation.commit({ inputTokens: 0 });
    await reservation.cancel();
    expect(await budget.remaining()).toEqual({ rpm: 4, inputTokens: 500, outputTokens: 700 });
    const cancelled = await budget.reserve({ outputTokens: 700 });
    await cancelled.cancel();
    expect(await budget.remaining()).toEqual({ rpm: 4, inputTokens: 500, outputTokens: 700 });
  });

  test("what time has given back of an estimate is not given back again", async () => {
    const { clock, budget } = open();
    const estimate = { inputTokens: 3000, outputTokens: 800 };
    const first = await budget.reserve(estimate);
    clock.advance(60_000);
    await budget.reserve(estimate, { timeout: 0 });
    await first.commit({ inputTokens: 100 });
    expect(await budget.remaining()).toEqual({ rpm: 4, inputTokens: 0, outputTokens: 0 });
  });

  test("what could never fit is refused at once", async () => {
    const { budget } = open();
    await expect(budget.reserve({ outputTokens: 801 })).rejects.toMatchObject({ limiter: "outputTokens", weight: 801 });
    expect((await budget.remaining()).rpm).toBe(5);
  });

  test("waits for whichever dimension blocks, one caller after another", async () => {
    const { clock, budget } = open();
    await budget.reserve({ inputTokens: 3000, outputTokens: 800 });
    const order: string[] = [];
    const large = budget.reserve({ inputTokens: 1500, outputTokens: 800 }).then(() => order.push("large"));
    const small = budget.reserve({ inputTokens: 1 }).then(() => order.push("small"));
    for (let i = 0; i < 59; i++) {
      clock.advance(1000);
      await settle();
    }
    expect(order).toEqual([]);
    clock.advance(1000);
    await Promise.all([large, small]);
    expect(order).toEqual(["large", "small"]);
    expect(await budget.remaining()).toEqual({ rpm: 3, inputTokens: 1499, outputTokens: 0 });
  });

  test("who gives up while waiting takes nothing, and holds up nobody", async () => {
    const { budget } = open();
    await budget.reserve({ outputTokens: 800 });
    const controller = new AbortController();
    const first = budget.reserve({ inputTokens: 10, outputTokens: 10 }, { signal: controller.signal });
    const second = budget.reserve({ inputTokens: 10 }, { signal: AbortSignal.timeout(60_000) });
    const third = budget.reserve({}, { signal: AbortSignal.abort("never") });
    await expect(third).rejects.toBe("never");
    await settle();
    controller.abort("enough");
    await expect(first).rejects.toBe("enough");
    await second;
    expect(await budget.remaining()).toEqual({ rpm: 3, inputTokens: 2990, outputTokens: 0 });
  });

  test("works over any bucket, of either mode, and limiters that others use too", async () => {
    const clock = new ManualClock();
    const shared = toAsync(new InMemoryBucket("10/min", { algorithm: tokenBucket, clock }));
    const budget = new Budget(
      { rpm: createLimiter("2/min", { clock }), tokens: shared, other: undefined },
      { key: "acme" },
    );
    await (await budget.reserve({ tokens: 4, other: 1_000_000 })).commit({ tokens: 6 });
    expect(await budget.remaining()).toEqual({ rpm: 1, tokens: 4 });
    expect(await shared.count("acme")).toBe(6);
    await budget.close();
    await expect(shared.count("acme")).rejects.toThrow(LimiterError);
  });

  test("an empty budget is a no-op", async () => {
    const budget = new Budget<string>({});
    await budget.acquirePreCall();
    await budget.acquireUsage({ tokens: 5 });
    await (await budget.reserve({ tokens: 5 })).commit({ tokens: 7 });
    await budget.syncFromHeaders(new Headers({ "x-ratelimit-remaining-tokens": "0" }));
    expect(await budget.remaining()).toEqual({});
  });

  test("refuses dimensions and units that cannot be", async () => {
    const { budget } = open();
    await expect(budget.acquireUsage({ tokens: 1 } as object)).rejects.toThrow(
      'Cannot use "tokens" as a dimension: this budget has "rpm", "inputTokens", "outputTokens".',
    );
    await expect(budget.reserve({ inputTokens: 1.5 })).rejects.toThrow(RangeError);
    await expect(budget.acquireUsage({ inputTokens: -1 })).rejects.toThrow(RangeError);
    await expect(budget.acquireUsage(undefined as unknown as object)).rejects.toThrow(TypeError);
    await expect(budget.acquirePreCall({ timeout: -1 })).rejects.toThrow(RangeError);
    expect(() => new Budget({ rpm: "5/min" }, { requests: ["calls" as "rpm"] })).toThrow(RangeError);
    expect(() => new Budget({ rpm: 5 as unknown as string })).toThrow(TypeError);
  });

  test("says what is no limits and no options", async () => {
    for (const limits of [undefined, null, "5/min"]) {
      expect(() => new Budget(limits as never)).toThrow(/^Cannot make a budget of .*: name a limit for each dimension/);
    }
    expect(() => new Budget({ rpm: "5/min" }, null as never)).toThrow(/^Cannot make a budget with null: pass options/);
    expect(() => new Budget({ rpm: "5/min" }, { requests: "rpm" as never })).toThrow(
      new TypeError('Cannot use "rpm" as requests: it is a list of dimensions. Pass ["rpm"].'),
    );
    const { budget } = open();
    await expect(budget.acquirePreCall(5 as never)).rejects.toThrow(
      new TypeError("Cannot take from the budget with 5: pass options, as in acquirePreCall({ timeout: 1000 })."),
    );
    await expect(budget.reserve({}, 5 as never)).rejects.toThrow(/^Cannot reserve with 5: pass options/);
    expect((await budget.remaining()).rpm).toBe(5);
  });

  test("names the dimension where the limiter has another name", async () => {
    const clock = new ManualClock();
    const budget = new Budget({
      rpm: createLimiter("1/min", { clock, name: "shared" }),
      tokens: createLimiter("9/min", { clock, name: "shared", maxQueue: 0 }),
    });
    await budget.reserve({ tokens: 9 });
    await expect(budget.acquirePreCall({ timeout: 0 })).rejects.toMatchObject({
      limiter: "rpm",
      message: expect.stringContaining('in "rpm" (1/1m)'),
    });
    await expect(budget.reserve({ rpm: 0, tokens: 10 })).rejects.toMatchObject({ limiter: "tokens", weight: 10 });
    await expect(budget.reserve({ rpm: 0, tokens: 1 })).rejects.toMatchObject({
      code: "QUEUE_FULL",
      message: expect.stringContaining('It limits "tokens" of a budget.'),
    });
  });

  test("says what those who came before wait for when they take too long", async () => {
    const { budget } = open();
    await budget.reserve({ outputTokens: 800 });
    const controller = new AbortController();
    const first = budget.reserve({ outputTokens: 400 }, { signal: controller.signal });
    await expect(budget.acquirePreCall({ timeout: 5 })).rejects.toMatchObject({
      code: "TIMEOUT",
      message:
        'Cannot take from the budget: whoever came before still waits for 400 of "outputTokens", past the timeout of 5 ms. Allow more time.',
    });
    controller.abort("enough");
    await expect(first).rejects.toBe("enough");
    await budget.syncFromHeaders({ "retry-after": 60 });
    const paused = budget.reserve({}, { signal: AbortSignal.timeout(50) }).catch(() => {});
    await expect(budget.acquirePreCall({ timeout: 5 })).rejects.toThrow(
      "whoever came before still waits for the end of the pause that the provider asked for",
    );
    await paused;
  });
});

describe("Budget.syncFromHeaders()", () => {
  test.each([
    ["OpenAI's", { "x-ratelimit-remaining-requests": "2", "x-ratelimit-remaining-input-tokens": "1000" }],
    [
      "Anthropic's",
      { "anthropic-ratelimit-requests-remaining": "2", "anthropic-ratelimit-input-tokens-remaining": "1000" },
    ],
  ])("follows %s, downwards only", async (_, fields) => {
    const { budget } = open();
    await budget.reserve({ outputTokens: 100 });
    await budget.syncFromHeaders(new Headers({ ...fields, "x-ratelimit-remaining-output-tokens": "790" }));
    expect(await budget.remaining()).toEqual({ rpm: 2, inputTokens: 1000, outputTokens: 700 });
  });

  test("knows the one count of tokens that some providers give", async () => {
    const budget = new Budget({ requests: "5/min", tpm: "9000/min" }, { clock: new ManualClock() });
    await budget.syncFromHeaders(
      new Headers({ "x-ratelimit-remaining-tokens": "120", "x-ratelimit-remaining-requests": "junk" }),
    );
    expect(await budget.remaining()).toEqual({ requests: 5, tpm: 120 });
  });

  test.each([
    ["node:http", { "x-ratelimit-remaining-requests": "2", "set-cookie": ["a=1", "b=2"], "retry-after": undefined }],
    ["a plain object in any case", { "X-RateLimit-Remaining-Requests": 2 }],
    ["a list of values", { "x-ratelimit-remaining-requests": ["2", "3"] }],
    ["something like axios", { "x-other": "9", get: (name: string) => (name.endsWith("requests") ? 2 : null) }],
  ])("takes headers as %s gives them", async (_, headers) => {
    const { budget } = open();
    await budget.syncFromHeaders(headers);
    expect((await budget.remaining()).rpm).toBe(2);
  });

  test("says what are no headers", async () => {
    const { budget } = open();
    for (const headers of [undefined, null, "retry-after: 1"]) {
      await expect(budget.syncFromHeaders(headers as never)).rejects.toThrow(/^Cannot read .* as headers: pass those/);
    }
  });

  test.each(["requests_per_minute", "requests-per-day", "calls", "calls_per_minute", "RPM", "requestsPerMinute"])(
    "counts calls by %s",
    async (name) => {
      const budget = new Budget({ [name]: "5/min" }, { clock: new ManualClock() });
      await budget.acquirePreCall();
      await budget.syncFromHeaders({ "x-ratelimit-remaining-requests": "3" });
      expect(await budget.remaining()).toEqual({ [name]: 3 });
    },
  );

  test("knows tokens by their names with hyphens and underscores", async () => {
    const limits = { input_tokens: "9/min", "output-tokens": "9/min", total_tokens_per_minute: "9/min" } as const;
    const budget = new Budget(limits, { clock: new ManualClock() });
    await budget.syncFromHeaders({
      "x-ratelimit-remaining-input-tokens": "1",
      "x-ratelimit-remaining-output-tokens": "2",
      "x-ratelimit-remaining-tokens": "3",
    });
    expect(await budget.remaining()).toEqual({ input_tokens: 1, "output-tokens": 2, total_tokens_per_minute: 3 });
  });

  test("a pause past the timeout is a RateLimitExceededError that says when to retry", async () => {
    const { budget } = open();
    await budget.syncFromHeaders({ "retry-after": "60" });
    const error = await budget.acquirePreCall({ timeout: 500 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RateLimitExceededError);
    expect(error).toMatchObject({ limiter: "rpm", weight: 1, decision: { allowed: false } });
    const { retryAfter } = (error as RateLimitExceededError).decision;
    expect(retryAfter).toBeGreaterThan(59_000);
    expect(retryAfter).toBeLessThanOrEqual(60_000);
  });

  test.each([
    ["retry-after", "2"],
    ["retry-after-ms", "2000"],
    ["retry-after", new Date(Date.now() + 60_000).toUTCString()],
  ])("pauses for %s: %s", async (name, value) => {
    const { budget } = open();
    await budget.syncFromHeaders(new Headers({ [name]: value }));
    await expect(budget.acquirePreCall({ timeout: 500 })).rejects.toThrow(/the provider asked for a pause of .* more/);
    await expect(budget.reserve({}, { signal: AbortSignal.timeout(5) })).rejects.toMatchObject({
      name: "TimeoutError",
    });
    expect((await budget.remaining()).rpm).toBe(5);
  });

  test("goes on after the pause", async () => {
    const { budget } = open();
    await budget.syncFromHeaders(new Headers({ "retry-after-ms": "20" }));
    const start = performance.now();
    await budget.acquirePreCall({ timeout: 1000 });
    expect(performance.now() - start).toBeGreaterThanOrEqual(19);
  });
});
