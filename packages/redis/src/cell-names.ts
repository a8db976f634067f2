/**
 * The names of a bucket's cells in Redis.
 *
 * @module
 */
import calculateSlot from "cluster-key-slot";
import type { RedisArgument } from "./redis-client.js";

const SOUND_PREFIX = /^[\w.:/@-]{1,100}$/;

/** Text that is not sound UTF-8, or would leave the braces empty: Redis then hashes the whole name, and ioredis does not. */
const NEEDS_BYTES = /^\}|\p{Surrogate}/u;

/** Names cells `prefix:name:algorithm:rates:{key}`: the key in braces alone says which slot of a Cluster a cell lies in. */
export class CellNames {
  readonly #head: string;

  /**
   * @param prefix What all names begin with.
   * @param bucket What core calls the bucket.
   */
  constructor(prefix: string, bucket: string) {
    this.#head = `${checkPrefix(prefix)}:${bucket}{`;
  }

  /** The name of a key's cell. */
  of(key: string): RedisArgument {
    if (!NEEDS_BYTES.test(key)) return `${this.#head}${key}}`;
    // UTF-8 knows no byte 0xFF, so this is nobody else's name.
    return Buffer.concat([Buffer.from(this.#head), Buffer.of(0xff), Buffer.from(key, "utf16le"), Buffer.from("}")]);
  }

  /** The pattern that the names of all cells match, and no others. */
  get pattern(): string {
    return `${this.#head.replace(/[*?[\]\\]/g, "\\$&")}*`;
  }
}

/** The slot of a Cluster that a name belongs to. */
export function slotOf(name: RedisArgument): number {
  return calculateSlot(name);
}

function checkPrefix(prefix: string): string {
  if (typeof prefix !== "string") {
    throw new TypeError(`Cannot use a prefix of type ${typeof prefix}: it is a string, such as "sluice".`);
  }
  if (SOUND_PREFIX.test(prefix)) return prefix;
  const rule = "a prefix is 1 to 100 letters, digits and characters of _.:/@-";
  throw new RangeError(`Cannot use the prefix ${JSON.stringify(prefix.slice(0, 40))}: ${rule}, such as "sluice".`);
}
