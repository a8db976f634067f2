import { randomUUID } from "node:crypto";
import { Model } from "@sluice/conformance";
import { ManualClock, Rate, slidingWindowLog } from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import { migrate, PostgresBucket } from "@sluice/postgres";
import fc from "fast-check";
import pg from "pg";
import { afterAll, describe, expect, test } from "vitest";
import { postgresUrl } from "../../../test/servers/urls.js";
import { traceCount } from "../../../test/trace-count.js";

const pool = new pg.Pool({ connectionString: await postgresUrl() });
const table = `long_logs_${randomUUID().slice(0, 8)}`;
await migrate(pool, { table, unlogged: true });
const runs = traceCount(25);
let names = 0;

afterAll(() => pool.end());

/** A bucket in Postgres on a clock of its own. */
function open(rates: readonly Rate[]) {
  const clock = new ManualClock(1_000_000);
  const name = `${names++}`;
  return { clock, name, bucket: new PostgresBucket(pool, rates, { algorithm: slidingWindowLog, clock, table, name }) };
}

/** How many pages the logs of a bucket have. */
async function pagesOf(name: string): Promise<number> {
  const { rows } = await pool.query(
    `SELECT count(*)::int AS pages FROM ${table}_pages WHERE starts_with(encode(key, 'escape'), $1)`,
    [`${name}:`],
  );
  return rows[0].pages;
}

interface Burst {
  readonly operation: "put" | "charge" | "refund";
  readonly weight: number;
  readonly count: number;
  /** Milliseconds since the burst before it; a clock may step back. */
  readonly gap: number;
}

/** Histories that make logs grow over several pages, and shrink again from both ends. */
const bursts = fc.array(
  fc.record({
    operation: fc.constantFrom("put" as const, "put" as const, "put" as const, "charge" as const, "refund" as const),
    weight: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 90 })),
    count: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 90 })),
    gap: fc.oneof(
      fc.integer({ min: 0, max: 300 }),
      fc.constantFrom(0, 999, 1000, 3000),
      fc.integer({ min: -900, max: 0 }),
    ),
  }),
  { minLength: 5, maxLength: 30, size: "max" },
);
const rateLists = fc
  .record({ limit: fc.integer({ min: 60, max: 400 }), several: fc.boolean() })
  .map(({ limit, several }) =>
    several ? [new Rate(Math.ceil(limit / 3), 200), new Rate(limit, 1000)] : [new Rate(limit, 1000)],
  );

async function compare(rates: readonly Rate[], history: readonly Burst[]): Promise<void> {
  const { clock, bucket } = open(rates);
  const memory = new InMemoryBucket(rates, { algorithm: slidingWindowLog, clock });
  for (const { operation, weight, count, gap } of history) {
    clock.set(clock.now() + gap);
    const items = Array.from({ length: count }, () => ({ key: "ada", weight }));
    const decisions = await Promise.all(items.map((item) => bucket[operation](item)));
    expect(decisions).toEqual(items.map((item) => memory[operation](item)));
  }
  expect(await bucket.items("ada")).toEqual(memory.items("ada"));
  await bucket.flush();
}

describe("PostgresBucket, logs of several pages", () => {
  test("decide as the kernel does, however they grow and shrink", async () => {
    const property = fc.asyncProperty(rateLists, bursts, compare);
    await fc.assert(property, { numRuns: runs });
  });

  test("keep the pages that count, and no others", async () => {
    const { clock, name, bucket } = open([new Rate(640, 1000)]);
    const seen: number[] = [];
    for (let i = 0; i < 40; i++) {
      clock.advance(100);
      await Promise.all(Array.from({ length: 64 }, () => bucket.tryPut("ada")));
      if (i >= 20) seen.push(await pagesOf(name));
    }
    expect(Math.max(...seen)).toBeLessThanOrEqual(11);
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(9);
    clock.advance(1000);
    expect(await bucket.leak()).toBe(1);
    expect(await pagesOf(name)).toBe(0);
  });

  test("flush takes the pages along", async () => {
    const { name, bucket } = open([new Rate(1000, 1000)]);
    await Promise.all(Array.from({ length: 500 }, () => bucket.tryPut("ada")));
    expect(await pagesOf(name)).toBeGreaterThan(0);
    await bucket.flush("ada");
    expect(await pagesOf(name)).toBe(0);
    expect(await bucket.count("ada")).toBe(0);
  });

  test("count on for ever: their totals never pass 2^53", async () => {
    const rate = { limit: 2n ** 53n - 1n, interval: 1_000_000n, burst: 2n ** 53n - 1n };
    const weights = fc.oneof(fc.integer({ min: 1, max: 2 ** 46 }), fc.integer({ min: 2 ** 50, max: 2 ** 53 - 1 }));
    const steps = fc.array(fc.record({ weight: weights, gap: fc.integer({ min: 0, max: 400 }) }), {
      minLength: 20,
      maxLength: 120,
      size: "max",
    });
    const property = fc.asyncProperty(steps, async (history) => {
      const { clock, bucket } = open([new Rate(2 ** 53 - 1, 1000)]);
      const model = new Model("sliding-window-log", [rate]);
      for (const { weight, gap } of history) {
        clock.advance(gap);
        const { allowed, remaining } = await bucket.put({ key: "ada", weight });
        const expected = model.put(BigInt(clock.now() * 1000), BigInt(weight));
        expect({ allowed, remaining: BigInt(remaining) }).toEqual({
          allowed: expected.allowed,
          remaining: expected.remaining,
        });
      }
    });
    await fc.assert(property, { numRuns: Math.ceil(runs / 5) });
  });
});
