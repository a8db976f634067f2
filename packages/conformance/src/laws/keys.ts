import { same } from "../check.js";
import type { Law } from "../law.js";

const MEGABYTE = "k".repeat(2 ** 20);

/** Keys of all kinds; no two share a cell. */
export const HOSTILE_KEYS: readonly string[] = [
  "",
  " ",
  "a",
  "A",
  "a ",
  "0",
  "00",
  "\0",
  "a\0",
  "a\0b",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "{a}{b}",
  "{a}",
  "a:b",
  "a'b",
  'a"b',
  "a\\b",
  "a;b",
  "%",
  "_",
  "*",
  "\n",
  "é",
  "e\u0301",
  "😀",
  "\ud83d",
  "\ude00",
  "\udc00\ud800",
  "\ufffd",
  MEGABYTE,
  `${MEGABYTE}x`,
];

/** Any string is a key, and no two keys share a cell. */
export const keys: Law = {
  name: "any string is a key, and no two keys share a cell",
  async check({ open }) {
    const { bucket, clock } = await open("3/min");
    clock.set(1000);
    for (const [i, key] of HOSTILE_KEYS.entries()) {
      same(`remaining for key ${i}, at first`, (await bucket.put({ key, weight: 1 + (i % 3) })).remaining, 2 - (i % 3));
    }
    for (const [i, key] of HOSTILE_KEYS.entries()) same(`count of key ${i}`, await bucket.count(key), 1 + (i % 3));
  },
};
