import { halfSipHash } from "./keyed-hash.js";

/** Words of a hash: 128 bits, so that no two keys ever share one. */
export const HASH = 4;
/** How many keys a worker remembers the hashes of, and how long they are at most. */
const MOST = 32_768;
const LONGEST = 128;

/**
 * The hashes of keys, and those of the last ones that this worker saw at hand.
 *
 * The hash is all that the shared memory knows of a key. Two 64-bit hashes under
 * independent secrets make it 128 bits long, which nobody who does not know the secrets
 * can make two keys agree in.
 */
export class KnownKeys {
  /** The hashes, four words each; the first place is for a key that is not remembered. */
  readonly hashes: Int32Array;
  readonly #places = new Map<string, number>();
  readonly #secret: Int32Array;
  readonly #most: number;

  /** @param secret Four words, the same in all workers. */
  constructor(secret: Int32Array, maxKeys: number) {
    this.#secret = secret;
    this.#most = Math.min(MOST, maxKeys);
    this.hashes = new Int32Array(HASH * (this.#most + 1));
  }

  /** Where the hash of a key begins in `hashes`; good until the next call. */
  find(key: string): number {
    return this.#places.get(key) ?? this.#learn(key);
  }

  #learn(key: string): number {
    let place = 0;
    if (key.length <= LONGEST) {
      // Starting over now and then is cheaper than to know for each key when it was last used.
      if (this.#places.size === this.#most) this.#places.clear();
      place = HASH * (this.#places.size + 1);
      this.#places.set(key, place);
    }
    const [a, b, c, d] = this.#secret as unknown as readonly [number, number, number, number];
    halfSipHash(key, a, b, this.hashes, place);
    halfSipHash(key, c, d, this.hashes, place + 2);
    return place;
  }
}
