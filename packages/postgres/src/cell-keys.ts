import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { keyBytes } from "@sluice/core";

/** The longest part of a key that is kept as it is; an entry of an index holds 2,700 bytes. */
const LONGEST = 1000;
/** Begins what stands for something longer. UTF-8 knows no such byte, and what core makes of ill-formed keys begins with 0xFF. */
const HASHED = Buffer.of(0xfe);

/** Room for the bytes of a key that is read at once. */
const scratch = Buffer.alloc(LONGEST);

/** The keys of the rows of one bucket: all begin with the same bytes, and no others do. */
export class CellKeys {
  /** The first that there may be. */
  readonly first: Buffer;
  /** The first that is beyond all of them. */
  readonly end: Buffer;
  readonly #hex: string;
  /** The first bytes as text; `undefined` where they are none. */
  readonly #text: string | undefined;

  /** @param prefix What core calls the bucket. */
  constructor(prefix: string) {
    this.first = shorten(Buffer.from(prefix));
    this.end = beyond(this.first);
    this.#hex = this.first.toString("hex");
    this.#text = this.first[0] === HASHED[0] ? undefined : prefix;
  }

  /** The key of the row of a cell. */
  of(key: string): Buffer {
    if (this.#text !== undefined && isPlain(key)) return Buffer.from(this.#text + key);
    return Buffer.concat([this.first, shorten(keyBytes(key))]);
  }

  /** The same as {@link of} in the digits of a bytea: they sort as the bytes do. */
  hexOf(key: string): string {
    if (isPlain(key)) return this.#hex + scratch.toString("hex", 0, scratch.write(key));
    return this.#hex + Buffer.from(shorten(keyBytes(key))).toString("hex");
  }
}

/** Whether the bytes of a key are its UTF-8, and short enough to be kept: true of nearly all. */
function isPlain(key: string): boolean {
  // A code unit takes three bytes at most.
  return key.length <= LONGEST / 3 && (key as WellFormed).isWellFormed();
}

/** What strings can do since ECMAScript 2024. */
type WellFormed = string & { isWellFormed(): boolean };

/** The first key after one. */
export function after(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.of(0)]);
}

/** The first bytes that do not begin with some and come after them. */
function beyond(bytes: Buffer): Buffer {
  let last = bytes.length - 1;
  while (bytes[last] === 0xff) last--;
  const end = Buffer.from(bytes.subarray(0, last + 1));
  end[last] = (end[last] as number) + 1;
  return end;
}

function shorten<B extends Uint8Array>(bytes: B): B | Buffer {
  return bytes.length <= LONGEST ? bytes : Buffer.concat([HASHED, createHash("sha256").update(bytes).digest()]);
}
