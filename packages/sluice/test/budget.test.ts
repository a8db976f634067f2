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
    ["retry-after", "2"],
    ["retry-after-ms", "2000"],
    ["retry-after", new Date(Date.now() + 3000).toUTCString()],
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
