import { randomUUID } from "node:crypto";
import { cellPrefix, ManualClock, Rate, slidingWindowLog } from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import { RedisBucket } from "@sluice/redis";
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, describe, expect, test } from "vitest";
import { redisUrl } from "../../../test/servers/urls.js";
import { traceCount } from "../../../test/trace-count.js";

const client = new Redis(await redisUrl());
afterAll(() => client.quit());

/** A bucket in Redis and one in memory, on one clock. */
function pair(rates: readonly Rate[]) {
  const options = { algorithm: slidingWindowLog, clock: new ManualClock(1_000_000) };
  const name = randomUUID();
  return {
    clock: options.clock,
    redis: new RedisBucket(client, rates, { ...options, name }),
    memory: new InMemoryBucket(rates, options),
    /** The bytes that ada's log takes. */
    bytes: () => client.strlen(`sluice:${cellPrefix(name, slidingWindowLog, rates)}{ada}`),
  };
}

interface Burst {
  readonly operation: "put" | "charge" | "refund";
  readonly weight: number;
  readonly count: number;
  /** Milliseconds since the burst before it; a clock may step back. */
  readonly gap: number;
}

/** Histories that make logs grow beyond 64 entries, go round their ring, and shrink again. */
const bursts = fc.array(
  fc.record({
    operation: fc.constantFrom("put" as const, "put" as const, "put" as const, "charge" as const, "refund" as const),
    weight: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 40 })),
    count: fc.integer({ min: 1, max: 90 }),
    gap: fc.oneof(
      fc.integer({ min: 0, max: 300 }),
      fc.constantFrom(0, 999, 1000, 3000),
      fc.integer({ min: -900, max: 0 }),
    ),
  }),
  { minLength: 5, maxLength: 40, size: "max" },
);
const rateLists = fc
  .record({ limit: fc.integer({ min: 60, max: 400 }), several: fc.boolean() })
  .map(({ limit, several }) =>
    several ? [new Rate(Math.ceil(limit / 3), 200), new Rate(limit, 1000)] : [new Rate(limit, 1000)],
  );

async function compare(rates: readonly Rate[], history: readonly Burst[]): Promise<void> {
  const { clock, redis, memory } = pair(rates);
  for (const { operation, weight, count, gap } of history) {
    clock.set(clock.now() + gap);
    const items = Array.from({ length: count }, () => ({ key: "ada", weight }));
    const expected = items.map((item) => memory[operation](item));
    expect(await Promise.all(items.map((item) => redis[operation](item)))).toEqual(expected);
  }
  expect(await redis.items("ada")).toEqual(memory.items("ada"));
}

describe("RedisBucket, logs of more than 64 entries", () => {
  test("decide as the kernel does, however they grow, shrink and go round", async () => {
    await fc.assert(
      fc.asyncProperty(rateLists, bursts, (rates, history) => compare(rates, history)),
      { numRuns: traceCount(60) },
    );
  });

  test("go round their ring for ever without growing", async () => {
    const { clock, redis, memory, bytes } = pair([new Rate(100, 1000)]);
    const item = { key: "ada" };
    const sizes = new Set<number>();
    for (let i = 0; i < 1000; i++) {
      clock.advance(9);
      expect(await redis.put(item)).toEqual(memory.put(item));
      if (i > 300) sizes.add(await bytes());
    }
    expect([...sizes]).toEqual([64 + 100 * 16]);
  });

  test("give their room back when few entries are left", async () => {
    const { clock, redis, bytes } = pair([new Rate(1000, 1000)]);
    await Promise.all(Array.from({ length: 1000 }, () => redis.put({ key: "ada" })));
    expect(await bytes()).toBe(64 + 1000 * 16);
    clock.advance(1500);
    await redis.put({ key: "ada" });
    expect(await bytes()).toBe(8 + 16);
    await redis.refund({ key: "ada" });
    expect(await bytes()).toBe(0);
  });

  test("stay exact when all that ever passed is more than 2^53 units", async () => {
    const limit = 2 ** 51;
    const { clock, redis } = pair([new Rate(limit, 1000)]);
    let inView: { time: number; weight: bigint }[] = [];
    for (let i = 0; i < 300; i++) {
      clock.advance(40);
      const weight = i % 5 === 0 ? 2 ** 49 + i : 3;
      inView = inView.filter(({ time }) => time + 1000 > clock.now());
      const left = inView.reduce((rest, item) => rest - item.weight, BigInt(limit));
      const allowed = BigInt(weight) <= left;
      if (allowed) inView.push({ time: clock.now(), weight: BigInt(weight) });
      const remaining = Number(allowed ? left - BigInt(weight) : left);
      expect(await redis.put({ key: "ada", weight })).toMatchObject({ allowed, remaining });
    }
  });
});
