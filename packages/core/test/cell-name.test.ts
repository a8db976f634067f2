import { HOSTILE_KEYS } from "@sluice/conformance";
import { cellPrefix, keyBytes, Rate, slidingWindowLog, tokenBucket } from "@sluice/core";
import { describe, expect, test } from "vitest";

describe("cellPrefix()", () => {
  const rate = new Rate(10, 1000);

  test("differs where the name, the algorithm, the rates or a burst differ", () => {
    const prefixes = [
      cellPrefix("a", tokenBucket, [rate]),
      cellPrefix("b", tokenBucket, [rate]),
      cellPrefix("a", slidingWindowLog, [rate]),
      cellPrefix("a", tokenBucket, [new Rate(11, 1000)]),
      cellPrefix("a", tokenBucket, [new Rate(10, 1001)]),
      cellPrefix("a", tokenBucket, [new Rate(10, 1000, 11)]),
      cellPrefix("a", tokenBucket, [rate, new Rate(100, 60_000)]),
      cellPrefix("a:token-bucket", tokenBucket, [rate]),
      cellPrefix("a:", tokenBucket, [rate]),
    ];
    expect(new Set(prefixes).size).toBe(prefixes.length);
    for (const prefix of prefixes) {
      expect(prefixes.filter((other) => other.startsWith(prefix))).toEqual([prefix]);
    }
  });

  test("holds nothing but letters, digits and marks that are safe in any store", () => {
    expect(cellPrefix("{a} 'b'\"\0*?[é", tokenBucket, [rate])).toMatch(/^[\w%:/,.!~*'()-]+$/);
  });
});

describe("keyBytes()", () => {
  test("gives no two keys the same bytes", () => {
    const all = HOSTILE_KEYS.map((key) => Buffer.from(keyBytes(key)).toString("hex"));
    expect(new Set(all).size).toBe(HOSTILE_KEYS.length);
  });

  test("is UTF-8 for well-formed keys, and starts with a byte that UTF-8 knows not for all others", () => {
    expect(Buffer.from(keyBytes("é😀")).toString("utf8")).toBe("é😀");
    expect(keyBytes("a\ud83d")[0]).toBe(0xff);
  });
});
