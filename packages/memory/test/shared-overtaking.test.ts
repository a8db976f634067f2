import { type Algorithm, ManualClock, tokenBucket } from "@sluice/core";
import { describe, expect, test } from "vitest";
import { SharedMemoryBucket } from "../src/shared/shared-memory-bucket.js";
import { audit } from "./shared-audit.js";

/** The token bucket, which calls `meanwhile` when it has decided and before anybody can see what. */
function pausing(meanwhile: () => void): Algorithm {
  return {
    name: tokenBucket.name,
    compile(rates) {
      const kernel = tokenBucket.compile(rates);
      const admit = kernel.admit.bind(kernel);
      const take = kernel.take.bind(kernel);
      kernel.admit = (state, now, weight) => {
        const admitted = admit(state, now, weight);
        meanwhile();
        return admitted;
      };
      kernel.take = (state, now, weight) => {
        take(state, now, weight);
        meanwhile();
      };
      return kernel;
    },
  };
}

/** A thread that is paused in the middle of its next decision while another thread does `work`; and that other thread. */
function overtaken(rate: string, work: (other: SharedMemoryBucket) => void) {
  let left = 0;
  const clock = new ManualClock(1000);
  const other = new SharedMemoryBucket(rate, { algorithm: tokenBucket, clock, maxKeys: 100 });
  const algorithm = pausing(() => {
    if (left-- > 0) work(other);
  });
  const paused = SharedMemoryBucket.attach(other.share(), { algorithm, clock });
  const pauseOnce = <T>(run: () => T): T => {
    left = 1;
    return run();
  };
  return { paused, other, pauseOnce };
}

describe("a thread that is overtaken in the middle of a decision", () => {
  test("decides anew: it neither loses what the other did nor doubles its own", () => {
    const { paused, other, pauseOnce } = overtaken("9/min", (bucket) => bucket.tryPut("ada", 2));
    other.tryPut("ada");
    expect(pauseOnce(() => paused.tryPut("ada", 4))).toBe(true);
    expect(other.count("ada")).toBe(7);
    expect(pauseOnce(() => paused.put({ key: "ada" })).remaining).toBe(0);
    expect([other.count("ada"), other.size]).toEqual([10 - 1, 1]);
  });

  test("is refused what the other took", () => {
    const { paused, other, pauseOnce } = overtaken("5/min", (bucket) => bucket.tryPut("ada", 5));
    expect(pauseOnce(() => paused.tryPut("ada"))).toBe(false);
    expect([other.count("ada"), other.size]).toEqual([5, 1]);
  });

  test("is admitted what the other gave back", () => {
    const { paused, other, pauseOnce } = overtaken("5/min", (bucket) => void bucket.refund({ key: "ada", weight: 3 }));
    other.tryPut("ada", 5);
    // The refusal was right when it was made, and stands; a retry sees the refund.
    expect(pauseOnce(() => paused.tryPut("ada"))).toBe(false);
    expect(pauseOnce(() => paused.tryPut("ada", 2))).toBe(true);
    expect(other.count("ada")).toBe(2);
  });

  test("starts over when the key was forgotten, or came to be", () => {
    const { paused, other, pauseOnce } = overtaken("5/min", (bucket) => bucket.flush());
    other.tryPut("ada", 4);
    expect(pauseOnce(() => paused.put({ key: "ada" })).remaining).toBe(4);
    expect([other.count("ada"), other.size]).toEqual([1, 1]);
  });

  // The records of a thread go around: after some number of changes the first one of the chain lies where it lay before.
  test.each([1, 2, 15, 16, 17, 31, 32, 33, 47, 48, 64, 100, 1000])("is not fooled after %i changes", (changes) => {
    const { paused, other, pauseOnce } = overtaken("100000/d", (bucket) => {
      for (let i = 0; i < changes; i++) bucket.tryPut("ada");
    });
    for (let round = 1; round <= 20; round++) {
      expect(pauseOnce(() => paused.tryPut("ada"))).toBe(true);
      expect(other.count("ada")).toBe(round * (changes + 1));
    }
  });

  test("is not fooled by records that were other keys' meanwhile", () => {
    const keys = Array.from({ length: 100 }, (_, i) => `key ${i}`);
    const counts = new Map(keys.map((key) => [key, 0]));
    const count = (key: string, by: number) => counts.set(key, by * ((counts.get(key) ?? 0) + 1));
    let round = 0;
    const { paused, other, pauseOnce } = overtaken("100000/d", (bucket) => {
      for (const key of keys.slice(round % 90)) {
        bucket.tryPut(key);
        count(key, 1);
      }
      const forgotten = keys[(round * 3) % 100] as string;
      bucket.flush(forgotten);
      count(forgotten, 0);
    });
    for (; round < 500; round++) {
      const key = keys[(round * 7) % 100] as string;
      pauseOnce(() => paused.tryPut(key));
      count(key, 1);
    }
    expect(new Map(keys.map((key) => [key, other.count(key)]))).toEqual(counts);
    const found = audit(other.share());
    expect(found).toEqual({ doubled: 0, lost: 0, size: other.size, keys: [...counts.values()].filter(Boolean).length });
  });
});
