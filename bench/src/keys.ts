/** `count` distinct keys of 14 characters, flat strings as a parser makes them. */
export function makeKeys(count: number): string[] {
  return Array.from({ length: count }, (_, i) => makeKey(i));
}

/** The key of number `i`: 14 characters, in one flat string. */
export function makeKey(i: number): string {
  const digits = String(Math.imul(i, 2_654_435_761) >>> 0).padStart(10, "0");
  return Buffer.from(`key-${digits}`).toString("latin1");
}

/** A seeded walk over `count` keys, long enough that no cache learns it. */
export function makeOrder(count: number, seed: number): Uint32Array {
  const order = new Uint32Array(2 ** 20);
  let state = seed;
  for (let i = 0; i < order.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    order[i] = Math.floor((state / 2 ** 32) * count);
  }
  return order;
}
