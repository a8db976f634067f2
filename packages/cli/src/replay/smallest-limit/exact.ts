/**
 * Whole numbers whose products may not fit in a double.
 *
 * @module
 */

/** How far two rounded products may lie from the true ones, as a share of them. */
const ROUNDING = 2 ** -51;

/** Below 0 when `a * b < c * d`, above 0 when it is greater, 0 when they are equal; for whole numbers, exactly. */
export function compareProducts(a: number, b: number, c: number, d: number): number {
  const left = a * b;
  const right = c * d;
  const difference = left - right;
  if (Math.abs(difference) > (Math.abs(left) + Math.abs(right)) * ROUNDING) return difference;
  return Number(BigInt(a) * BigInt(b) - BigInt(c) * BigInt(d));
}

/** `a * b / c`, rounded up; for whole numbers above 0, exactly. */
export function ceilOfProduct(a: number, b: number, c: number): number {
  const product = a * b;
  if (product <= Number.MAX_SAFE_INTEGER) return Math.ceil(product / c);
  const divisor = BigInt(c);
  return Number((BigInt(a) * BigInt(b) + divisor - 1n) / divisor);
}
