import {
  type Algorithm,
  fixedWindow,
  ManualClock,
  slidingWindowCounter,
  slidingWindowLog,
  tokenBucket,
} from "@sluice/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InMemoryBucket } from "../src/in-memory-bucket.js";
import type { SharedMemoryHandle } from "../src/shared/handle.js";
import { SharedMemory } from "../src/shared/shared-memory.js";
import { SharedMemoryBucket, type SharedMemoryBucketOptions } from "../src/shared/shared-memory-bucket.js";
import { audit } from "./shared-audit.js";

const SOUND = { doubled: 0, lost: 0 };

/** A bucket and another view of it, as a second thread has it, on one clock. */
function pair(rates: string | string[], options: Partial<SharedMemoryBucketOptions> = {}) {
  const clock = new ManualClock(1_000_000);
  const one = new SharedMemoryBucket(rates, { algorithm: tokenBucket, clock, ...options });
  const two = SharedMemoryBucket.attach(one.share(), { algorithm: options.algorithm ?? tokenBucket, clock });
  const attach = () => SharedMemoryBucket.attach(one.share(), { algorithm: tokenBucket, clock });
  return { one, two, clock, attach };
}

describe("SharedMemoryBucket", () => {
  test("decides as one for all who hold it", () => {
    const { one, two } = pair(["5/s", "8/min"]);
    expect([one.tryPut("ada", 3), two.tryPut("ada", 3), two.tryPut("ada", 2), one.tryPut("ada")]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect([one.count("ada"), two.size, one.rates.length]).toEqual([5, 1, two.rates.length]);
    two.flush("ada");
    expect(one.peek({ key: "ada", weight: 0 }).remaining).toBe(5);
  });

  test("decides over many keys, from two threads in turn, as a bucket of one thread does", () => {
    const operation = fc.record({
      name: fc.constantFrom("put", "tryPut", "charge", "refund", "peek", "flush", "leak"),
      key: fc.integer({ min: 0, max: 59 }).map((i) => `key ${i}`),
      weight: fc.nat(4),
      wait: fc.constantFrom(0, 0, 0, 1, 400, 5000),
      second: fc.boolean(),
    });
    const algorithms = fc.constantFrom(tokenBucket, fixedWindow, slidingWindowCounter);
    fc.assert(
      fc.property(algorithms, fc.array(operation, { minLength: 100, maxLength: 300 }), (algorithm, operations) => {
        const { one, two, clock } = pair(["3/s", "10/min"], { algorithm, maxKeys: 60 });
        const model = new InMemoryBucket(["3/s", "10/min"], { algorithm, clock });
        for (const { name, key, weight, wait, second } of operations) {
          clock.advance(wait);
          const [answer, expected] = [second ? two : one, model].map((bucket) => {
            if (name === "tryPut") return bucket.tryPut(key, weight);
            if (name === "flush") return bucket.flush(key);
            if (name === "leak") return bucket.leak();
            return bucket[name]({ key, weight });
          });
          expect(answer).toEqual(expected);
        }
        expect(one.size).toBe(model.size);
        expect(audit(one.share())).toEqual({ ...SOUND, size: model.size, keys: model.size });
      }),
      { numRuns: 60 },
    );
  });

  test("peek, count, read and a refusal write nothing", () => {
    const { one, two } = pair("2/min", { maxKeys: 10 });
    one.tryPut("ada", 2);
    // What a chain shows is never written again, so the words of the buckets are all that can change.
    const words = () => [...(SharedMemory.open(one.share().buffer)?.words ?? [])];
    const before = words();
    two.peek({ key: "ada" });
    two.count("ada");
    two.read("bob");
    two.tryPut("ada");
    two.put({ key: "bob", weight: 3 });
    expect([words(), two.size, two.count("ada")]).toEqual([before, 1, 2]);
  });

  test("refuses the log, whose state has no fixed size, and says what to do", () => {
    const wrong = () => new SharedMemoryBucket("5/s", { algorithm: slidingWindowLog });
    expect(wrong).toThrow(RangeError);
    expect(wrong).toThrow(/slidingWindowCounter } or another that counts, or share the log through SQLite/);
    const left = {} as SharedMemoryBucketOptions;
    expect(() => new SharedMemoryBucket("5/s", left)).toThrow(/sliding-window-log/);
  });

  test.each([0, -1, 1.5, Number.NaN, 2 ** 30, "9"])("refuses %o keys or workers", (count) => {
    const number = count as number;
    const error = typeof count === "number" ? RangeError : TypeError;
    expect(() => new SharedMemoryBucket("1/s", { algorithm: tokenBucket, maxKeys: number })).toThrow(error);
    expect(() => new SharedMemoryBucket("1/s", { algorithm: tokenBucket, maxWorkers: number })).toThrow(error);
  });
});

describe("SharedMemoryBucket.attach()", () => {
  const bucket = new SharedMemoryBucket("5/s burst 9", { algorithm: tokenBucket, maxKeys: 10 });
  const attach = (handle: unknown, algorithm: unknown) => () =>
    SharedMemoryBucket.attach(handle as SharedMemoryHandle, { algorithm: algorithm as Algorithm });

  test("takes a handle that was cloned", () => {
    const other = attach(structuredClone(bucket.share()), tokenBucket)();
    expect([other.rates, other.maxKeys, other.algorithm.name]).toEqual([bucket.rates, 10, "token-bucket"]);
  });

  test("refuses another algorithm, or none", () => {
    expect(attach(bucket.share(), fixedWindow)).toThrow(/Cannot attach with fixed-window: .* made for token-bucket/);
    expect(attach(bucket.share(), undefined)).toThrow(RangeError);
  });

  test("refuses rates that are not those of the buffer", () => {
    const handle = { ...bucket.share(), rates: [{ limit: 6, interval: 1000, burst: 9 }] };
    expect(attach(handle, tokenBucket)).toThrow(RangeError);
  });

  test.each([undefined, null, 5, {}, { ...bucket.share(), buffer: new ArrayBuffer(8) }])("refuses %o", (handle) => {
    expect(attach(handle, tokenBucket)).toThrow(TypeError);
  });

  test.each([0, 8, 4096])("refuses a buffer of %i bytes that is not its own", (bytes) => {
    expect(attach({ ...bucket.share(), buffer: new SharedArrayBuffer(bytes) }, tokenBucket)).toThrow(TypeError);
  });
});

describe("SharedMemoryBucket, seats", () => {
  test("are bounded by maxWorkers, and free again after close()", () => {
    const { one, two, attach } = pair("9/min", { maxWorkers: 2 });
    expect(attach).toThrow(/2 workers hold the bucket\. .* raise maxWorkers/);
    two.tryPut("ada", 4);
    two.close();
    two.close();
    const three = attach();
    expect([three.count("ada"), three.tryPut("ada", 5), one.tryPut("ada")]).toEqual([4, true, false]);
  });

  test("whoever comes next inherits the records, however often", () => {
    const { one, two, attach } = pair("9/min", { maxWorkers: 3, maxKeys: 5 });
    two.close();
    for (let i = 0; i < 2000; i++) {
      const next = attach();
      next.charge({ key: `${i % 7}` });
      if (i % 3 === 0) next.flush();
      next.close();
    }
    expect(audit(one.share())).toMatchObject(SOUND);
  });

  test("are free again after reclaim(), of those who came by that handle and no others", () => {
    const { one, clock, attach } = pair("9/min", { maxWorkers: 4 });
    const handle = one.share();
    for (let i = 0; i < 2; i++) SharedMemoryBucket.attach(handle, { algorithm: tokenBucket, clock }).tryPut("ada");
    expect(attach).toThrow(/hold the bucket/);
    one.reclaim(one.share());
    expect(attach).toThrow(/hold the bucket/);
    one.reclaim({ ...handle, buffer: new SharedArrayBuffer(8) });
    expect(attach).toThrow(/hold the bucket/);
    one.reclaim(handle);
    expect([attach(), attach()].map((bucket) => bucket.count("ada"))).toEqual([2, 2]);
    expect(attach).toThrow(/hold the bucket/);
  });
});

describe("SharedMemoryBucket, maxKeys", () => {
  test("never holds more, counts who had to go, and never the key that has just come", () => {
    const { one, two } = pair("5/min", { maxKeys: 20 });
    for (let i = 0; i < 500; i++) {
      const bucket = i % 2 === 0 ? one : two;
      bucket.tryPut(`${i}`, 2);
      expect(bucket.size).toBe(Math.min(i + 1, 20));
      expect(bucket.count(`${i}`)).toBe(2);
    }
    expect([one.evictions, two.evictions]).toEqual([480, 480]);
    expect(audit(one.share())).toEqual({ ...SOUND, size: 20, keys: 20 });
  });

  test("holds one key, if that is all it may", () => {
    const { one } = pair("5/min", { maxKeys: 1 });
    for (const key of ["a", "b", "a"]) expect(one.put({ key }).remaining).toBe(4);
    expect([one.size, one.evictions]).toEqual([1, 2]);
  });

  test("drops cells that are as good as new first, which costs nobody anything", () => {
    const { one, clock } = pair("2/s", { maxKeys: 12 });
    for (let i = 0; i < 6; i++) one.tryPut(`old ${i}`);
    clock.advance(600);
    for (let i = 0; i < 12; i++) one.tryPut(`new ${i}`);
    expect([one.size, one.evictions]).toEqual([12, 0]);
    for (let i = 0; i < 12; i++) expect(one.count(`new ${i}`)).toBe(1);
  });

  test("then drops the key that would be as good as new soonest", () => {
    const { one } = pair("10/min", { maxKeys: 10 });
    for (let i = 1; i <= 10; i++) one.tryPut(`${i}`, i);
    one.tryPut("one more", 5);
    expect([one.count("1"), one.count("2"), one.evictions]).toEqual([0, 2, 1]);
  });

  test("a refused newcomer takes no room", () => {
    const { one } = pair("5/min", { maxKeys: 10 });
    for (let i = 0; i < 100; i++) one.put({ key: `${i}`, weight: 6 });
    for (let i = 0; i < 100; i++) one.tryPut(`${i}`, 6);
    for (let i = 0; i < 100; i++) one.peek({ key: `${i}` });
    for (let i = 0; i < 100; i++) one.put({ key: `${i}`, weight: 0 });
    for (let i = 0; i < 100; i++) one.refund({ key: `${i}` });
    expect(one.size).toBe(0);
  });
});

describe("SharedMemoryBucket, sweeps", () => {
  test("go around in slices, and threads that sweep at once share the work", () => {
    const { one, two, clock } = pair("1/s", { maxKeys: 5000 });
    const fill = () => {
      for (let i = 0; i < 5000; i++) one.tryPut(`${i}`);
      clock.advance(1000);
      one.tryPut("stays");
    };
    fill();
    let slices = 1;
    while (one.sweep(0)) slices++;
    expect(one.size).toBe(1);
    fill();
    let shared = 0;
    for (let more = [true, true]; more.some(Boolean); shared++) more = [one, two].map((bucket) => bucket.sweep(0));
    expect([one.size, Math.abs(shared - slices / 2) <= 1]).toEqual([1, true]);
    expect(audit(one.share())).toMatchObject(SOUND);
  });

  test("leak() says how many it dropped, and flush() drops all", () => {
    const { one, two, clock } = pair("1/s", { maxKeys: 3000 });
    for (let i = 0; i < 3000; i++) one.tryPut(`${i}`);
    clock.advance(500);
    expect(two.leak()).toBe(0);
    clock.advance(500);
    expect([two.leak(), one.size, two.leak()]).toEqual([3000, 0, 0]);
    for (let i = 0; i < 3000; i++) one.tryPut(`${i}`);
    two.flush();
    expect(audit(one.share())).toEqual({ ...SOUND, size: 0, keys: 0 });
    expect(one.evictions).toBe(0);
  });
});

describe("SharedMemoryBucket.replaceRates()", () => {
  test("is refused, since other threads would not know", () => {
    const { one } = pair("1/s", { maxKeys: 10 });
    const refusal = "other threads would not know. Create another bucket, and hand the threads its handle.";
    expect(() => one.replaceRates("2/s", "keep")).toThrow(RangeError);
    expect(() => one.replaceRates("2/s", "keep")).toThrow(refusal);
    expect(one.rates.map(String)).toEqual(["1/1s"]);
  });
});
