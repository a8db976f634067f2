/**
 * Whole numbers as text of 7-bit characters, as the scripts read them: their bytes without
 * the highest bits, lowest byte first, and then those bits, a character each.
 *
 * ioredis sends a command whose arguments are all text in one piece, and takes nearly twice
 * as long for one with bytes in it.
 *
 * @module
 */

/** Bytes of any whole number up to 2^53. */
export const WHOLE = 7;
/** Bytes of a number of keys or times. */
export const SMALL = 3;

/** The text of a whole number of so many bytes. */
export function sevenBits(value: number, bytes: number): string {
  let low = "";
  let high = "";
  let rest = value;
  for (let i = 0; i < bytes; i++) {
    // Bit operations end at 2^31.
    const byte = rest % 256;
    low += CHARACTERS[byte & 127];
    high += CHARACTERS[byte >> 7];
    rest = (rest - byte) / 256;
  }
  return low + high;
}

/** The text of a whole number of any size: what is above 2^53 is even, and halved until it is not; one more character says how often. */
export function largeSevenBits(value: number): string {
  let halved = 0;
  let rest = value;
  while (rest > Number.MAX_SAFE_INTEGER) {
    rest /= 2;
    halved++;
  }
  return sevenBits(rest, WHOLE) + CHARACTERS[halved];
}

const CHARACTERS = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
