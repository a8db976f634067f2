import { fixedWindow, Limiter, ManualClock, toAsync, tokenBucket, withLease, withObserver } from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A store that counts what it is asked, and processes that lease from it. */
function open(rates: string | string[], size: number, processes = 1, ttl = 1000) {
  const clock = new ManualClock();
  const memory = new InMemoryBucket(rates, { algorithm: tokenBucket, clock });
  const asked: string[] = [];
  const store = withObserver(memory, { onDecision: ({ operation, weight }) => asked.push(`${operation} ${weight}`) });
  const leased = Array.from({ length: processes }, () => withLease(toAsync(store), { size, ttl }));
  return { clock, memory, asked, leased, bucket: leased[0] as (typeof leased)[0] };
}

describe("withLease()", () => {
  test("asks the store once for many, also when they come at once", async () => {
    const { bucket, asked } = open("100/h", 10);
    const decisions = await Promise.all(Array.from({ length: 25 }, () => bucket.put({ key: "ada" })));
    expect(decisions.map(({ remaining }) => remaining)).toEqual(Array.from({ length: 25 }, (_, i) => 99 - i));
    expect(asked).toEqual(["put 10", "put 10", "put 10"]);
  });

  test("what is too little for a lease is taken alone, and what is not there is refused as the store says", async () => {
    const { bucket, asked } = open("12/h", 10);
    for (let i = 0; i < 12; i++) expect(await bucket.tryPut("ada")).toBe(true);
    expect(await bucket.put({ key: "ada" })).toMatchObject({ allowed: false, retryAfter: 300_000 });
    expect(asked.slice(0, 3)).toEqual(["put 10", "put 10", "put 1"]);
    expect(await bucket.put({ key: "bob", weight: 11 })).toMatchObject({ allowed: true, remaining: 1 });
  });

  test("gives what is left back when its time is over, and at close", async () => {
    const { bucket, memory, clock, asked } = open("100/h", 10);
    await bucket.tryPut("ada");
    expect(memory.count("ada")).toBe(10);
    clock.advance(1000);
    await settle();
    expect([memory.count("ada"), asked.at(-1)]).toEqual([2, "refund 8"]);
    await bucket.tryPut("ada");
    memory.close = () => void asked.push("close");
    await bucket.close();
    expect(asked.slice(-2)).toEqual(["refund 9", "close"]);
    expect(clock.pending).toBe(0);
  });

  test("peek, count and flush see the lease", async () => {
    const { bucket, memory } = open("100/h", 10);
    await bucket.tryPut("ada");
    expect(await bucket.peek({ key: "ada", weight: 4 })).toMatchObject({ allowed: true, remaining: 95 });
    expect(await bucket.count("ada")).toBe(1);
    await bucket.tryPut("ada");
    await bucket.flush();
    expect([await bucket.put({ key: "ada", weight: 100 }), memory.count("ada")]).toMatchObject([
      { allowed: true },
      100,
    ]);
  });

  test("what lies in a lease goes back before anything else is asked of the key", async () => {
    for (const [operation, passes] of [
      ["refund", 100],
      ["charge", 49],
    ] as const) {
      const { bucket } = open("100/h", 50);
      await bucket.tryPut("ada");
      await bucket[operation]({ key: "ada", weight: 50 });
      let passed = 0;
      while (await bucket.tryPut("ada")) passed++;
      expect([operation, passed]).toEqual([operation, passes]);
    }
  });

  test("nothing is leased while something else is asked of the key", async () => {
    const { bucket, asked } = open("100/h", 50);
    const put = bucket.tryPut("ada");
    await Promise.all([put, bucket.refund({ key: "ada", weight: 50 }), bucket.tryPut("ada", 49), bucket.tryPut("ada")]);
    expect(asked).toEqual(["put 50", "refund 49", "refund 50", "put 49", "put 1"]);
  });

  test("books and waits for units that lie in its own lease", async () => {
    const { bucket, asked } = open("100/h", 60);
    await bucket.tryPut("ada");
    const limiter = new Limiter(bucket);
    expect((await limiter.reserve("ada", 60)).delay).toBe(0);
    expect(asked.slice(1)).toEqual(["refund 59", "reserve 60"]);
    const fresh = open("100/h", 60).bucket;
    await fresh.tryPut("ada");
    expect(await new Limiter(fresh).acquire("ada", { weight: 99, timeout: 0 })).toMatchObject({ allowed: true });
  });

  test("a put or a peek of more than is left counts what is left", async () => {
    const { bucket } = open("100/h", 60);
    await bucket.tryPut("ada");
    expect(await bucket.peek({ key: "ada", weight: 99 })).toMatchObject({ allowed: true, remaining: 0 });
    await bucket.tryPut("ada", 1);
    expect(await bucket.put({ key: "ada", weight: 98 })).toMatchObject({ allowed: true, remaining: 0 });
    const small = open("100/h", 60).bucket;
    await small.tryPut("bob", 55);
    expect(await small.put({ key: "bob", weight: 45 })).toMatchObject({ allowed: true, remaining: 0 });
  });

  test("what is used of a lease while more is asked for is not counted twice", async () => {
    const { bucket } = open("100/h", 50);
    await bucket.tryPut("ada", 48);
    const heavier = bucket.tryPut("ada", 3);
    const lighter = [bucket.tryPut("ada"), bucket.tryPut("ada")];
    let passed = 0;
    for (const [put, weight] of [[heavier, 3], ...lighter.map((one) => [one, 1] as const)] as const) {
      if (await put) passed += weight;
    }
    while (await bucket.tryPut("ada")) passed++;
    expect(48 + passed).toBe(100);
  });

  test("a flush forgets leases with their timers, also those that are being asked for", async () => {
    const { bucket, clock, memory } = open("100/h", 50);
    await Promise.all([bucket.tryPut("ada"), bucket.tryPut("bob")]);
    await bucket.flush("ada");
    expect(clock.pending).toBe(1);
    const put = bucket.tryPut("eve");
    await bucket.flush();
    await put;
    expect(clock.pending).toBe(0);
    let passed = 0;
    while (await bucket.tryPut("eve")) passed++;
    expect([passed, memory.count("eve")]).toEqual([100, 100]);
  });

  test("holds leases for maxKeys keys, and gives the oldest back beyond", async () => {
    const clock = new ManualClock();
    const memory = new InMemoryBucket("100/h", { algorithm: tokenBucket, clock });
    const bucket = withLease(memory, { size: 10, maxKeys: 2 });
    for (const key of ["a", "b", "c"]) await bucket.tryPut(key);
    await settle();
    expect(["a", "b", "c"].map((key) => memory.count(key))).toEqual([1, 10, 10]);
  });

  test("refuses what cannot be", () => {
    expect(() => withLease(new InMemoryBucket("5/s", { algorithm: tokenBucket }), { size: 6 })).toThrow(
      "the smallest rate holds 5",
    );
    expect(() => withLease(new InMemoryBucket("5/s", { algorithm: fixedWindow }), { size: 2 })).toThrow(
      'Cannot lease by "fixed-window"',
    );
    expect(() => withLease(new InMemoryBucket("5/s"), { size: 0 })).toThrow(RangeError);
  });

  test("however many processes lease, no more is admitted in any span of time than the rates allow", async () => {
    const step = fc.record({
      gap: fc.integer({ min: 0, max: 800 }),
      process: fc.nat(2),
      weight: fc.integer({ min: 1, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), async (steps) => {
        const { clock, leased } = open(["8/s", "20/10s"], 4, 3, 1500);
        const used: { at: number; weight: number }[] = [];
        for (const { gap, process, weight } of steps) {
          clock.advance(gap);
          await settle();
          if (await leased[process]?.tryPut("ada", weight)) used.push({ at: clock.now(), weight });
        }
        for (const [limit, interval] of [
          [8, 1000],
          [20, 10_000],
        ] as const) {
          for (let i = 0; i < used.length; i++) {
            let total = 0;
            for (const { at, weight } of used.slice(i)) {
              total += weight;
              expect(total).toBeLessThanOrEqual(limit + ((at - (used[i]?.at ?? 0)) / interval) * limit + 1e-9);
            }
          }
        }
      }),
      { numRuns: 150 },
    );
  });
});
