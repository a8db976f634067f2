import { randomUUID } from "node:crypto";
import { Limiter, ManualClock, slidingWindowLog, tokenBucket, withObserver } from "@sluice/core";
import { migrate, PostgresBucket } from "@sluice/postgres";
import pg from "pg";
import { afterAll, describe, expect, test } from "vitest";
import { postgresUrl } from "../../../test/servers/urls.js";

const pool = new pg.Pool({ connectionString: await postgresUrl() });
const table = `bookings_${randomUUID().slice(0, 8)}`;
await migrate(pool, { table, unlogged: true });

afterAll(() => pool.end());

describe.each([tokenBucket, slidingWindowLog])("PostgresBucket, $name", (algorithm) => {
  test("20 waiters of two instances pass in order, each for one operation of the store", async () => {
    const operations: string[] = [];
    let onAnswer = () => {};
    const onDecision = ({ operation }: { operation: string }) => {
      operations.push(operation);
      onAnswer();
    };
    const limiters = [1, 2].map(() => {
      const bucket = new PostgresBucket(pool, "1/20ms", { algorithm, table, name: algorithm.name });
      return new Limiter(withObserver(bucket, { onDecision }));
    });
    const waiters = Array.from({ length: 20 }, (_, i) => i);
    const passed: number[] = [];
    const passing: Promise<unknown>[] = [];
    const start = performance.now();
    for (const i of waiters) {
      // The next comes when the store has answered.
      await new Promise<void>((resolve) => {
        onAnswer = resolve;
        passing.push((limiters[i % 2] as Limiter<"async">).acquire("ada").then(() => passed.push(i)));
      });
    }
    await Promise.all(passing);
    // Between the two it is the machine that decides who of those that are due hears of it first.
    for (const half of [0, 1]) {
      expect(passed.filter((i) => i % 2 === half)).toEqual(waiters.filter((i) => i % 2 === half));
    }
    expect(performance.now() - start).toBeGreaterThan(19 * 20 - 10);
    expect(operations).toEqual(waiters.map(() => "reserve"));
  });

  test("a key is as good as new when what was booked no longer counts, and not a microsecond sooner", async () => {
    const clock = new ManualClock(1_000_000);
    const bucket = new PostgresBucket(pool, "1/s", { algorithm, clock, table, name: `leak ${algorithm.name}` });
    await bucket.put({ key: "ada" });
    const { at } = await bucket.reserve({ key: "ada" });
    expect(at).toBe(1_001_000);
    expect(await bucket.leak(1_001_999.999)).toBe(0);
    expect(await bucket.leak(1_002_000)).toBe(1);
  });
});

test("PostgresBucket decides bookings by the server's clock, where no item names an instant", async () => {
  for (const algorithm of [tokenBucket, slidingWindowLog]) {
    const bucket = new PostgresBucket(pool, "2/30d", { algorithm, table, name: `clock ${algorithm.name}` });
    const before = await bucket.now();
    // Some name the instant, and ride behind those that do not.
    const asked = ["ada", "bob", "ada", "bob"].map((key, i) =>
      bucket.reserve({ key, weight: 2, ...(i < 2 ? {} : { timestamp: before - 60_000 }) }),
    );
    const bookings = await Promise.all(asked);
    const after = await bucket.now();
    for (const { at, decision } of bookings.slice(0, 2)) {
      expect(decision).toMatchObject({ allowed: true, remaining: 0, retryAfter: 0 });
      expect(at).toBeGreaterThanOrEqual(before);
      expect(at).toBeLessThanOrEqual(after);
    }
    for (const { at, decision } of bookings.slice(2)) {
      expect(decision.allowed).toBe(true);
      expect(decision.retryAfter).toBeGreaterThan(60_000);
      expect(at).toBeCloseTo(before - 60_000 + decision.retryAfter, 2);
    }
  }
});
