/**
 * HalfSipHash-2-4 with 64 bits of output (Aumasson and Bernstein), over the UTF-16 code
 * units of a string, two bytes each, low byte first.
 *
 * @module
 */
const ROUNDS_A_BLOCK = 2;
const ROUNDS_AT_THE_END = 4;

/**
 * Writes the hash of a text under a secret of two words into two words of `out`.
 *
 * Who does not know the secret can neither tell the hash of a text nor find two texts of
 * the same hash better than by chance.
 */
export function halfSipHash(text: string, k0: number, k1: number, out: Int32Array, at: number): void {
  const blocks = text.length >> 1;
  let v0 = k0;
  let v1 = k1 ^ 0xee;
  let v2 = 0x6c796765 ^ k0;
  let v3 = 0x74656462 ^ k1;
  // After the last whole block come what is left with the length, and two more turns for the two words.
  for (let i = 0; i <= blocks + 2; i++) {
    const block =
      i < blocks ? text.charCodeAt(2 * i) | (text.charCodeAt(2 * i + 1) << 16) : i === blocks ? end(text) : 0;
    if (i === blocks + 1) v2 ^= 0xee;
    else if (i === blocks + 2) v1 ^= 0xdd;
    v3 ^= block;
    for (let round = i <= blocks ? ROUNDS_A_BLOCK : ROUNDS_AT_THE_END; round > 0; round--) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    v0 ^= block;
    if (i > blocks) out[at + i - blocks - 1] = v1 ^ v3;
  }
}

/** The last block: the length in bytes, modulo 256, above the code unit that is left over. */
function end(text: string): number {
  const { length } = text;
  return ((2 * length) << 24) | (length % 2 === 1 ? text.charCodeAt(length - 1) : 0);
}
