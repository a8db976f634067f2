import { randomUUID } from "node:crypto";
import {
  type Algorithm,
  cellPrefix,
  fixedWindow,
  leakyBucket,
  ManualClock,
  slidingWindowCounter,
  slidingWindowLog,
  tokenBucket,
} from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import { RedisBucket, type RedisBucketOptions, type RedisClient, RedisClock } from "@sluice/redis";
import { Redis } from "ioredis";
import { afterAll, describe, expect, test } from "vitest";
import { redisUrl } from "../../../test/servers/urls.js";

const ALGORITHMS = [slidingWindowLog, tokenBucket, leakyBucket, fixedWindow, slidingWindowCounter];
const client = new Redis(await redisUrl());
afterAll(() => client.quit());

/** A bucket with cells of its own, which can be looked at. */
function open(rates: string | string[], { name = randomUUID(), ...options }: RedisBucketOptions = {}) {
  const bucket = new RedisBucket(client, rates, { name, ...options });
  const cell = (key: string) => `sluice:${cellPrefix(name, bucket.algorithm, bucket.rates)}{${key}}`;
  return {
    bucket,
    /** How many of these keys have a cell. */
    cells: (...keys: string[]) => client.exists(...keys.map(cell)),
    /** Milliseconds until Redis drops the cell of a key. */
    life: (key: string) => client.pttl(cell(key)),
  };
}

/** A bucket, and what Redis answers it. */
function openHeard(rate: string, algorithm: Algorithm) {
  const replies: Buffer[] = [];
  const heard: RedisClient = {
    createBuiltinCommand: (name) => ({
      async buffer(...values) {
        const reply = await client.createBuiltinCommand(name).buffer.apply(client, values as []);
        replies.push(reply as Buffer);
        return reply;
      },
    }),
  };
  return { bucket: new RedisBucket(heard, rate, { algorithm, name: randomUUID() }), replies };
}

describe("RedisBucket", () => {
  test.each(ALGORITHMS)("counts puts that ride alone, several units at a time: $name", async (algorithm) => {
    // Nothing flows back while the test runs.
    const { bucket } = open("7/30d", { algorithm });
    const left: [boolean, number][] = [];
    for (const weight of [2, 1, 5, 4, 1]) {
      const { allowed, remaining } = await bucket.put({ key: "ada", weight });
      left.push([allowed, remaining]);
    }
    expect(left).toEqual([
      [true, 5],
      [true, 4],
      [false, 4],
      [true, 0],
      [false, 0],
    ]);
  });

  test.each(ALGORITHMS)("takes as many of equal puts that ride together as fit: $name", async (algorithm) => {
    const clock = new ManualClock(1_000_000);
    const { bucket } = open("40/h", { algorithm, clock });
    const memory = new InMemoryBucket("40/h", { algorithm, clock });
    const hour = 3_600_000;
    for (const [gap, weight, times] of [
      [0, 3, 4],
      [0, 3, 25],
      [hour / 8, 1, 30],
      [hour / 4, 2, 3],
      [3 * hour, 7, 9],
      [0, 41, 2],
    ] as const) {
      clock.advance(gap);
      const items = Array.from({ length: times }, () => ({ key: "ada", weight }));
      // The first rides alone, and the others together.
      const decisions = await Promise.all(items.map((item) => bucket.put(item)));
      expect(decisions).toEqual(items.map((item) => memory.put(item)));
      expect(await bucket.count("ada")).toBe(memory.count("ada"));
    }
  });

  test("a put that rides alone leaves what is booked to be cancelled", async () => {
    const { bucket } = open("7/30d", { algorithm: tokenBucket });
    const booking = await bucket.reserve({ key: "ada", weight: 3 });
    expect((await bucket.put({ key: "ada" })).remaining).toBe(3);
    expect((await bucket.cancel({ key: "ada", weight: 2 }, booking)).remaining).toBe(5);
    expect((await bucket.put({ key: "ada", weight: 6 })).allowed).toBe(false);
    expect((await bucket.put({ key: "ada", weight: 5 })).allowed).toBe(true);
  });

  test.each(
    ALGORITHMS.filter((algorithm) => algorithm !== slidingWindowLog).flatMap((algorithm) =>
      ["1000/s", "7/3ms", "3/h", "9999999999971/d"].map((rate) => [algorithm.name, rate, algorithm] as const),
    ),
  )("keeps of puts that ride alone what the kernel keeps: %s, %s", async (_, rate, algorithm) => {
    const { bucket, replies } = openHeard(rate, algorithm);
    const kernel = algorithm.compile(bucket.rates);
    const weights = Array.from({ length: 60 }, (_, i) => 1 + ((i * i) % 3) * Math.ceil(bucket.capacity / 20));
    for (const weight of weights) await bucket.put({ key: "ada", weight });
    const cell = { numbers: new Float64Array(kernel.width), offset: 0 };
    for (const [i, reply] of replies.entries()) {
      // A reply is the server's time, and the cell as it was before the put.
      const [now = 0, ...before] = Array.from({ length: 1 + kernel.width }, (_, n) => reply.readDoubleLE(8 * n));
      expect(before).toEqual([...cell.numbers]);
      kernel.admit(cell, now, weights[i] as number);
    }
    expect(replies.length).toBe(60);
  });

  test.each(ALGORITHMS)("goes by the server's clock: $name", async (algorithm) => {
    const { bucket } = open("3/300ms", { algorithm });
    const decisions = await Promise.all(Array.from({ length: 5 }, () => bucket.put({ key: "ada" })));
    expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, true, false, false]);
    const wait = decisions[4]?.retryAfter ?? 0;
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(600);
    // A real server's clock is what is tested here.
    await new Promise((resolve) => setTimeout(resolve, wait + 5));
    expect(await bucket.tryPut("ada")).toBe(true);
  });

  test("tells the server's time, as RedisClock does", async () => {
    const { bucket } = open("1/s");
    const [seconds = 0] = (await client.time()).map(Number);
    const [told, clock] = [await bucket.now(), await new RedisClock(client).now()];
    expect(told).toBeGreaterThanOrEqual(seconds * 1000);
    expect(clock).toBeGreaterThanOrEqual(told);
    expect(clock).toBeLessThan(seconds * 1000 + 5000);
  });

  test.each(ALGORITHMS)("lets a cell live until 10 s after the next mark after its end: $name", async (algorithm) => {
    const { bucket, life } = open("10/100s", { algorithm });
    // An eighth of the time in which a bucket refills, in whole seconds, or ten seconds.
    const mark = algorithm === tokenBucket || algorithm === leakyBucket ? 13_000 : 10_000;
    const start = performance.now();
    const expectLife = async (resetAfter: number) => {
      const left = await life("ada");
      expect(left).toBeLessThanOrEqual(resetAfter + mark + 10_000);
      expect(left).toBeGreaterThanOrEqual(resetAfter + 10_000 - 1 - (performance.now() - start));
    };
    await expectLife((await bucket.put({ key: "ada" })).resetAfter);
    // What comes soon after leaves the mark where it is, and what lasts longer moves it.
    for (let i = 0; i < 4; i++) await expectLife((await bucket.put({ key: "ada" })).resetAfter);
    await expectLife((await bucket.charge({ key: "ada", weight: 40 })).resetAfter);
  });

  test.each([tokenBucket, slidingWindowLog])(
    "lets a cell live an hour beyond its end where instants come from elsewhere: $name",
    async (algorithm) => {
      const own = open("10/100s", { algorithm, clock: new ManualClock(1_000_000) });
      const replayed = open("10/100s", { algorithm });
      const { resetAfter } = await own.bucket.put({ key: "ada" });
      await replayed.bucket.put({ key: "ada", timestamp: 1_000_000 });
      for (const { life } of [own, replayed]) {
        expect(await life("ada")).toBeGreaterThan(resetAfter + 3_590_000);
        expect(await life("ada")).toBeLessThanOrEqual(resetAfter + 3_600_001);
      }
      const day = 86_400_000;
      await replayed.bucket.charge({ key: "tomorrow", timestamp: Date.now() + day, weight: 10 });
      expect(await replayed.life("tomorrow")).toBeGreaterThan(day + 3_590_000);
      expect(await replayed.life("tomorrow")).toBeLessThanOrEqual(day + 3_700_001);
    },
  );

  test("asks for the longest life that Redis takes, and no longer", async () => {
    const options = { algorithm: tokenBucket };
    for (const { bucket, life } of [
      open("1/200d", options),
      open("1/200d", { ...options, clock: new ManualClock() }),
    ]) {
      expect((await bucket.charge({ key: "ada", weight: 2 ** 53 - 1 })).allowed).toBe(true);
      expect(await life("ada")).toBeGreaterThan(9e14);
    }
  });

  test("a refusal leaves no cell behind", async () => {
    const { bucket, cells } = open("3/s");
    await bucket.put({ key: "ada", weight: 4 });
    await bucket.put({ key: "ada", weight: 0 });
    await bucket.refund({ key: "ada" });
    expect(await cells("ada")).toBe(0);
  });

  test("cells of other rates, algorithms, names and prefixes are other cells", async () => {
    const name = randomUUID();
    const others: [string | string[], RedisBucketOptions][] = [
      ["5/min", { algorithm: tokenBucket }],
      ["5/min burst 6", { algorithm: tokenBucket }],
      ["5/61s", { algorithm: tokenBucket }],
      [["5/min", "6/h"], { algorithm: tokenBucket }],
      ["5/min", { algorithm: leakyBucket }],
      ["5/min", { algorithm: fixedWindow }],
      ["5/min", { algorithm: slidingWindowLog }],
      ["5/min", { algorithm: tokenBucket, prefix: "sluice:2" }],
      ["5/min", { algorithm: tokenBucket, name: `${name} 2` }],
    ];
    const buckets = others.map(([rates, options]) => new RedisBucket(client, rates, { name, ...options }));
    for (const bucket of buckets) {
      const { allowed, remaining } = await bucket.put({ key: "ada", weight: 5 });
      expect([allowed, remaining]).toEqual([true, bucket.capacity - 5]);
    }
  });

  test("flush and leak touch the cells of this bucket alone", async () => {
    // As a pattern, the one name would match the other.
    const name = randomUUID();
    const mine = open("5/min", { name: `${name}*` });
    const other = open("5/min", { name: `${name}2` });
    const clock = new ManualClock(1000);
    const past = new RedisBucket(client, "5/min", { name, clock, algorithm: fixedWindow });
    for (const { bucket } of [mine, other]) for (const key of ["a", "b", "}", "\ud800"]) await bucket.put({ key });
    await past.put({ key: "ada" });
    await mine.bucket.flush();
    expect(await mine.bucket.count("a")).toBe(0);
    for (const key of ["a", "b", "}", "\ud800"]) expect(await other.bucket.count(key)).toBe(1);
    expect(await mine.bucket.leak()).toBe(0);
    expect(await other.bucket.leak()).toBe(0);
    expect(await other.bucket.leak(Date.now() + 120_000)).toBe(4);
    clock.advance(60_000);
    expect(await past.leak()).toBe(1);
  });

  test("finds thousands of cells, and forgets them", async () => {
    const { bucket, cells } = open("5/min");
    const keys = Array.from({ length: 3000 }, (_, i) => `${i}`);
    await bucket.putMany(keys.map((key) => ({ key })));
    expect(await cells(...keys)).toBe(3000);
    expect(await bucket.leak(Date.now() + 120_000)).toBe(3000);
    await bucket.putMany(keys.map((key) => ({ key })));
    await bucket.flush();
    expect(await cells(...keys)).toBe(0);
  });

  test("a trip carries many steps of many keys, in order, whatever they are", async () => {
    const { bucket } = open(["9/min", "12/h"], { algorithm: tokenBucket });
    const steps = [
      ...Array.from({ length: 300 }, (_, i) => bucket.put({ key: `${i}` })),
      bucket.put({ key: "ada", weight: 4 }),
      bucket.charge({ key: "ada", weight: 300 }),
      bucket.refund({ key: "ada", weight: 300 }),
      bucket.put({ key: "bob" }),
      ...Array.from({ length: 200 }, () => bucket.put({ key: "eve" })),
      bucket.put({ key: "ada", weight: 5 }),
      bucket.put({ key: "ada", weight: 1 }),
    ];
    const decisions = await Promise.all(steps);
    expect(decisions.slice(0, 300).every(({ remaining }) => remaining === 8)).toBe(true);
    expect(decisions.slice(300, 304).map(({ remaining }) => remaining)).toEqual([5, 0, 5, 8]);
    expect(decisions.slice(304, 504).filter(({ allowed }) => allowed).length).toBe(9);
    expect(decisions.slice(504).map(({ allowed }) => allowed)).toEqual([true, false]);
  });

  test("keeps what is beyond 2^53 as the kernel does", async () => {
    // Steps of this rate are 86,400,000,000 a unit: a full bucket is 8.6e23 of them.
    const clock = new ManualClock(1_700_000_000_000);
    const { bucket } = open("9999999999971/d", { algorithm: tokenBucket, clock });
    const memory = new InMemoryBucket("9999999999971/d", { algorithm: tokenBucket, clock });
    for (let i = 0; i < 40; i++) {
      clock.advance(0.001 * 7 ** (i % 9));
      const item = { key: "ada", weight: 999_999_999_999 - 7 * i };
      expect(await bucket.put(item)).toEqual(memory.put(item));
    }
  });

  test("refuses an algorithm that has no Lua, and says the way out", () => {
    const mine: Algorithm = {
      name: "mine",
      compile: (rates) => Object.assign(tokenBucket.compile(rates), { rule: "constructor" }),
    };
    expect(() => new RedisBucket(client, "1/s", { algorithm: mine })).toThrow(
      new TypeError(
        'Cannot keep mine in Redis: there is no Lua for the rule "constructor", but for token-bucket, fixed-window, sliding-window-counter, sliding-window-log. Use an algorithm of @sluice/core, or another bucket.',
      ),
    );
  });

  test.each(["", "{", "a}b", "a b", "a\nb", "\0", "é", "*", "x".repeat(101)])("refuses the prefix %j", (prefix) => {
    expect(() => new RedisBucket(client, "1/s", { prefix })).toThrow(RangeError);
  });

  test("refuses what is no client, and a client that puts a prefix of its own before keys", async () => {
    const wrong = { get: () => "value" } as unknown as Redis;
    expect(() => new RedisBucket(wrong, "1/s")).toThrow(TypeError);
    const prefixed = new Redis(await redisUrl(), { keyPrefix: "mine:", lazyConnect: true });
    expect(() => new RedisBucket(prefixed, "1/s")).toThrow(RangeError);
    prefixed.disconnect();
  });
});
