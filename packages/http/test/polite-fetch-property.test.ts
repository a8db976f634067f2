import { Limiter, ManualClock } from "@sluice/core";
import { politeFetch } from "@sluice/http";
import { InMemoryBucket } from "@sluice/memory";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const URL = "http://api.test/";

/** A clock that moves on by itself as soon as somebody waits for it. */
class EagerClock extends ManualClock {
  override schedule(delay: number, callback: () => void): () => void {
    setImmediate(() => this.advance(delay + 0.001));
    return super.schedule(delay, callback);
  }
}

const status = fc.constantFrom(200, 404, 408, 429, 500, 502, 503, 504);
const told = fc.record({
  status,
  retryAfter: fc.option(fc.integer({ min: 0, max: 100 })),
  random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});
const backoff = fc.record({ base: fc.integer({ min: 0, max: 1000 }), cap: fc.integer({ min: 0, max: 5000 }) });

describe("politeFetch(), whatever the server says", () => {
  test("never comes back before the time that it was told, nor later than the jitter allows", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(told, { minLength: 1, maxLength: 6 }),
        fc.nat(5),
        backoff,
        async (script, retries, waits) => {
          const clock = new EagerClock();
          const sent: number[] = [];
          const answers = (index: number) => script[Math.min(index, script.length - 1)] as (typeof script)[number];
          const fetch = politeFetch(undefined, {
            clock,
            retries,
            backoff: waits,
            deadline: Number.POSITIVE_INFINITY,
            random: () => answers(sent.length - 1).random,
            fetch: async () => {
              const { status, retryAfter } = answers(sent.length);
              sent.push(clock.now());
              const headers: Record<string, string> = retryAfter === null ? {} : { "retry-after": `${retryAfter}` };
              return new Response(null, { status, headers });
            },
          });
          const response = await fetch(URL);
          expect(response.status).toBe(answers(sent.length - 1).status);
          expect(sent.length).toBeLessThanOrEqual(retries + 1);
          for (let index = 1; index < sent.length; index++) {
            const gap = (sent[index] as number) - (sent[index - 1] as number);
            const asked = (answers(index - 1).retryAfter ?? 0) * 1000;
            expect([408, 429, 502, 503, 504]).toContain(answers(index - 1).status);
            expect(gap).toBeGreaterThanOrEqual(asked);
            expect(gap).toBeLessThanOrEqual(asked + Math.min(waits.cap, waits.base * 2 ** (index - 1)) + 0.01);
          }
        },
      ),
    );
  });

  test("never sends more than its limiter admits, and never ends past its deadline", async () => {
    const calls = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(calls, fc.integer({ min: 1, max: 10_000 }), status, async (weights, deadline, status) => {
        const clock = new ManualClock();
        const limiter = new Limiter(new InMemoryBucket("3/s", { clock }));
        const sent: [at: number, weight: number][] = [];
        const ended: number[] = [];
        for (const weight of weights) {
          const fetch = politeFetch(limiter, {
            clock,
            weight,
            deadline,
            fetch: async () => {
              sent.push([clock.now(), weight]);
              return new Response(null, { status });
            },
          });
          const end = () => void ended.push(clock.now());
          fetch(URL).then(end, end);
        }
        for (let step = 0; step < 120 && ended.length < weights.length; step++) {
          for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
          clock.advance(100);
        }
        expect(ended).toHaveLength(weights.length);
        for (const at of ended) expect(at).toBeLessThanOrEqual(deadline + 100);
        for (const [at] of sent) {
          const units = sent
            .filter(([other]) => other > at - 1000 && other <= at)
            .reduce((sum, [, weight]) => sum + weight, 0);
          expect(units).toBeLessThanOrEqual(3);
        }
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 40 },
    );
  });
});
