import { describe, expect, test } from "vitest";
import { halfSipHash } from "../src/shared/keyed-hash.js";
import { KnownKeys } from "../src/shared/known-keys.js";

/**
 * HalfSipHash-2-4 with 64 bits of the bytes 0, 1, ... n - 1 under the key 00 01 .. 07, for n = 0, 2, ... 62: every
 * other one of `vectors_hsip64` in the reference implementation (github.com/veorq/SipHash), as code units have two bytes.
 */
const VECTORS = [
  "218d1f59b9b83cc8",
  "064f39ef7c50eb57",
  "d5e78a175be52ea1",
  "ce3e91358aa2bc25",
  "edfee820bce4858c",
  "95b0469f06a6f2ee",
  "7bc71f9faef5c799",
  "3bb1a870eae8e658",
  "7336aad25f7bf3b5",
  "c9b2db2b9a3e42f9",
  "1bf52b0a6feea7db",
  "e20103fa1ba776ef",
  "70741045ae3fa6f1",
  "0d899ed8112923f0",
  "2d925ffb1e0016b5",
  "291aaf864898179d",
  "28709d46d811626c",
  "8324e4d7528f9830",
  "86d67a40ec4276dc",
  "cbd92ee724d42109",
  "5b38c81c67c8ae4c",
  "a91a52c025327024",
  "1e30f3ad27dcb15a",
  "495c0f995557dc38",
  "a9eaa8c04ba93e3e",
  "912d568fd8f65a49",
  "02445a7998f550e1",
  "359569e7d289e3bc",
  "a1a492f942f15f1d",
  "5d1b5ea1b231d89d",
  "d6762890bf26e460",
  "f90b3ab572d46693",
];

describe("halfSipHash()", () => {
  test.each([...VECTORS.entries()])("agrees with the reference for %i code units", (length, expected) => {
    const bytes = Buffer.from(Array.from({ length: 2 * length }, (_, i) => i));
    const words = new Int32Array(2);
    halfSipHash(bytes.toString("utf16le"), 0x03020100, 0x07060504, words, 0);
    expect(Buffer.from(words.buffer).toString("hex")).toBe(expected);
  });
});

describe("KnownKeys", () => {
  const SECRET = Int32Array.of(1, 2, 3, 4);

  function hashOf(keys: KnownKeys, key: string): number[] {
    const place = keys.find(key);
    return [...keys.hashes.subarray(place, place + 4)];
  }

  test("tells the same of a key whether it remembers it or not", () => {
    const keys = new KnownKeys(SECRET, 2);
    const names = ["a", "b", "c", "a".repeat(1000), ""];
    const first = names.map((key) => hashOf(keys, key));
    expect(new Set(first.map(String)).size).toBe(names.length);
    expect([...names].reverse().map((key) => hashOf(keys, key))).toEqual(first.reverse());
  });

  test("tells something else of a key under another secret, in each word", () => {
    const [one, other] = [SECRET, Int32Array.of(1, 3, 3, 5)].map((secret) => hashOf(new KnownKeys(secret, 9), "ada"));
    expect(one?.filter((word, i) => word === other?.[i])).toEqual([]);
  });
});
