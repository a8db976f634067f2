import { fails, same } from "../check.js";
import type { Law } from "../law.js";

/** Unsound arguments are told, and change nothing. */
export const badInput: Law = {
  name: "unsound keys, weights and timestamps are TypeErrors or RangeErrors, and change nothing",
  async check({ open }) {
    const { bucket } = await open("5/s");
    const key = "ada";
    for (const weight of [-1, Number.NaN, Number.POSITIVE_INFINITY, 0.5, 2 ** 53]) {
      await fails(`weight ${weight}`, () => bucket.put({ key, weight }), "RangeError");
      await fails(`tryPut of weight ${weight}`, () => bucket.tryPut(key, weight), "RangeError");
    }
    for (const timestamp of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      await fails(`timestamp ${timestamp}`, () => bucket.put({ key, timestamp }), "RangeError");
    }
    for (const wrong of [1, undefined, null, {}, Symbol.iterator]) {
      await fails("a key that is no string", () => bucket.put({ key: wrong as unknown as string }), "TypeError");
      await fails("flush of such a key", () => bucket.flush((wrong ?? 0) as unknown as string), "TypeError");
    }
    await fails("a weight that is no number", () => bucket.put({ key, weight: "1" as unknown as number }), "TypeError");
    await fails("no item", () => bucket.put(undefined as unknown as { key: string }), "TypeError");
    await fails("one bad item of two", () => bucket.putMany([{ key }, { key, weight: -1 }]), "RangeError");
    same("count after all that", await bucket.count(key), 0);
  },
};
