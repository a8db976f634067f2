/**
 * Whether a contestant did its work: one that does not is not fast but wrong, and ends the program.
 *
 * @module
 */

/** @throws Error where what came out is not what should. */
export function expectSame(what: string, actual: unknown, expected: unknown): void {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== should) throw new Error(`${what}: ${is} and not ${should}.`);
}

/** @throws Error where `actual` is below `least` or above `most`. */
export function expectWithin(what: string, actual: number, least: number, most: number): void {
  // Written so that a number that is none fails.
  if (!(actual >= least && actual <= most)) throw new Error(`${what}: ${actual} and not ${least} to ${most}.`);
}
