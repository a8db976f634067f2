import { InMemoryBucket } from "@sluice/memory";
import { describe, expect, test } from "vitest";

describe("AbstractBucket.close()", () => {
  test("lets a store go once, however often it is called", () => {
    let closed = 0;
    class CountingBucket extends InMemoryBucket {
      protected override _close(): void {
        closed++;
      }
    }
    const bucket = new CountingBucket("1/s");
    bucket.close();
    bucket.close();
    bucket[Symbol.dispose]();
    expect(closed).toBe(1);
  });
});
