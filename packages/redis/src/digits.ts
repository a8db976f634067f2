/**
 * Whole numbers as text of 7-bit characters, as the scripts read them: digits to the base
 * 128, lowest first.
 *
 * ioredis sends a command whose arguments are all text in one piece, and takes nearly twice
 * as long for one with bytes in it.
 *
 * @module
 */

/** Digits that any whole number up to 2^53 has room in. */
export const WHOLE = 8;

/** The text of a whole number, with so many digits. */
export function digits(value: number, count: number): string {
  let text = "";
  let rest = value;
  for (let i = 0; i < count; i++) {
    // Bits end at 2^31.
    text += DIGITS[rest % 128];
    rest = Math.floor(rest / 128);
  }
  return text;
}

/** The text of a whole number of any size: what is above 2^53 is even, and halved until it is not; a ninth digit says how often. */
export function largeDigits(value: number): string {
  let halved = 0;
  let rest = value;
  while (rest > Number.MAX_SAFE_INTEGER) {
    rest /= 2;
    halved++;
  }
  return digits(rest, WHOLE) + digits(halved, 1);
}

const DIGITS = Array.from({ length: 128 }, (_, digit) => String.fromCharCode(digit));
