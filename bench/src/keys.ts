/**
 * Which keys are asked for, from a seed, and at what rates.
 *
 * @module
 */

/** Milliseconds in which nothing comes back while the bench runs. */
export const DAY = 86_400_000;
/** Units a key and day, so many that nothing is refused. */
export const PLENTY = 1_000_000_000;

/** `count` distinct keys of 14 characters, flat strings as a parser makes them. */
export function makeKeys(count: number): string[] {
  return Array.from({ length: count }, (_, i) => makeKey(i));
}

/** The key of number `i`: 14 characters, in one flat string. */
export function makeKey(i: number): string {
  const digits = String(Math.imul(i, 2_654_435_761) >>> 0).padStart(10, "0");
  return flat(`key-${digits}`);
}

/** The same text in one piece, as a parser makes it. */
export function flat(text: string): string {
  return Buffer.from(text).toString("latin1");
}

/** A seeded walk over `count` keys in which the n-th comes 1/n as often as the first. */
export function makeZipfOrder(count: number, seed: number): Uint32Array {
  const sums = new Float64Array(count);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum += 1 / (i + 1);
    sums[i] = sum;
  }
  return makeOrder(2 ** 30, seed).map((random) => {
    const target = (random / 2 ** 30) * sum;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sums[middle] as number) > target) high = middle;
      else low = middle + 1;
    }
    return low;
  });
}

/** A seeded walk over `count` keys, long enough that no cache learns it. */
export function makeOrder(count: number, seed: number): Uint32Array {
  return new Uint32Array(2 ** 20).map(makeWalk(count, seed));
}

/** A seeded walk over `count` keys that never comes round: the numbers of keys, one by one. */
export function makeWalk(count: number, seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * count);
  };
}
