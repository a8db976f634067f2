/**
 * What cells are called in a store that many share.
 *
 * @module
 */
import type { Algorithm } from "./algorithms/kernel.js";
import { toMicroseconds } from "./duration.js";
import { describe, type Rate } from "./rate.js";

declare const TextEncoder: new () => { encode(text: string): Uint8Array };

/** The name of a bucket where none is given. */
export const DEFAULT_BUCKET_NAME = "default";

const LONGEST_NAME = 200;

/**
 * The words that the names of all cells of a bucket begin with in a store that it shares
 * with others: its own name, the algorithm and the rates.
 *
 * Two buckets share cells when all three are the same, and no cell is ever read under
 * rates that it was not written under. No prefix is the beginning of another.
 *
 * @param name What the bucket is for, such as `"sign-in"`: any well-formed string of 1 to 200 characters.
 *
 * @example
 * ```ts
 * import { cellPrefix, Rate, tokenBucket } from "@sluice/core";
 *
 * cellPrefix("sign-in", tokenBucket, [new Rate(10, 1000, 20)]); // => "sign-in:token-bucket:10/1000000/20:"
 * ```
 */
export function cellPrefix(name: string, algorithm: Algorithm, rates: readonly Rate[]): string {
  const parts = rates.map(({ limit, interval, burst }) => {
    const part = `${limit}/${toMicroseconds(interval)}`;
    return burst === limit ? part : `${part}/${burst}`;
  });
  return `${encodeURIComponent(checkName(name))}:${algorithm.name}:${parts.join(",")}:`;
}

function checkName(name: string): string {
  if (typeof name === "string" && name.length >= 1 && name.length <= LONGEST_NAME && isWellFormed(name)) return name;
  const rule = `a name is a well-formed string of 1 to ${LONGEST_NAME} characters`;
  const wrong = `Cannot call a bucket ${describe(name)}: ${rule}, such as "sign-in".`;
  throw typeof name === "string" ? new RangeError(wrong) : new TypeError(wrong);
}

/** Whether a string has no half of a surrogate pair that stands alone. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

const utf8 = new TextEncoder();

/**
 * The bytes of a key, for a store that keeps bytes: UTF-8, and for an ill-formed string
 * 0xFF (which UTF-8 knows not) and its UTF-16 code units. No two keys have the same bytes.
 *
 * @example
 * ```ts
 * import { keyBytes } from "@sluice/core";
 *
 * keyBytes("é"); // => new Uint8Array([195, 169])
 * keyBytes("\ud83d"); // => new Uint8Array([255, 61, 216])
 * ```
 */
export function keyBytes(key: string): Uint8Array {
  if (isWellFormed(key)) return utf8.encode(key);
  const bytes = new Uint8Array(1 + 2 * key.length);
  bytes[0] = 0xff;
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i);
    bytes[1 + 2 * i] = unit & 0xff;
    bytes[2 + 2 * i] = unit >> 8;
  }
  return bytes;
}
