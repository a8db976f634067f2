/**
 * Making the shared memory of a bucket, and checking that memory which came from elsewhere is that of this one.
 *
 * @module
 */
import { type Algorithm, cellPrefix, type Kernel, MOST_ROWS, type Rate } from "@sluice/core";
import { halfSipHash } from "./keyed-hash.js";
import { HASH } from "./known-keys.js";
import { lay, PURPOSE, RECORD_BITS, SECRET, SharedMemory } from "./shared-memory.js";

declare const crypto: { getRandomValues(array: Int32Array): Int32Array };

const MOST_WORKERS = 4096;

/** What the memory of a bucket is made for. */
interface Size {
  readonly maxKeys?: number;
  readonly maxWorkers?: number;
  /** Whether there is to be room for bookings. */
  readonly bookings?: boolean;
}

/** Makes room for a million keys, or as many as there can be, of 256 workers; or for as many as were asked for. */
export function createMemory(
  algorithm: Algorithm,
  kernel: Kernel,
  { maxKeys: asked, maxWorkers = 256, bookings = false }: Size,
): SharedMemory {
  checkForm(algorithm, kernel);
  checkCount("maxWorkers", maxWorkers, MOST_WORKERS);
  const { width } = kernel;
  // How many there are, and then they.
  const room = bookings && kernel.books ? 1 + MOST_ROWS * (1 + kernel.rates.length) : 0;
  const most = mostKeys(maxWorkers, width, room);
  const maxKeys = asked ?? Math.min(1_000_000, most);
  checkCount("maxKeys", maxKeys, most);
  const memory = SharedMemory.create({ maxKeys, maxWorkers, width, room });
  memory.ints.set(crypto.getRandomValues(new Int32Array(HASH)), SECRET);
  memory.ints.set(purpose(memory, algorithm, kernel.rates), PURPOSE);
  return memory;
}

/** Looks at a buffer as the memory of a bucket of this algorithm and these rates. */
export function openMemory(algorithm: Algorithm, kernel: Kernel, buffer: SharedArrayBuffer): SharedMemory {
  checkForm(algorithm, kernel);
  const memory = SharedMemory.open(buffer);
  if (memory === undefined) {
    throw new TypeError("Cannot attach to that buffer: it is not one of a SharedMemoryBucket of this version.");
  }
  if (purpose(memory, algorithm, kernel.rates).some((word, i) => word !== memory.ints[PURPOSE + i])) {
    throw new RangeError(
      `Cannot attach with ${algorithm.name} and ${kernel.rates.join(", ")}: the buffer was made for others. Pass the handle on as share() gave it.`,
    );
  }
  return memory;
}

/** The most keys that a buffer can be made for. Beside its record, a key takes up to three words of the buckets. */
function mostKeys(maxWorkers: number, width: number, room: number): number {
  const { bytes, recordSize } = lay({ maxKeys: 1, maxWorkers, width, room });
  const rest = 2 ** RECORD_BITS - bytes / 8;
  return Math.floor(rest / (recordSize + 1.5));
}

/** What says which algorithm and rates a buffer is for. */
function purpose({ ints }: SharedMemory, algorithm: Algorithm, rates: readonly Rate[]): Int32Array {
  const words = new Int32Array(2);
  halfSipHash(cellPrefix("shared", algorithm, rates), ints[SECRET] as number, ints[SECRET + 1] as number, words, 0);
  return words;
}

function checkForm(algorithm: Algorithm, kernel: Kernel): void {
  if (kernel.form === "cell") return;
  throw new RangeError(
    `Cannot keep ${algorithm.name} in shared memory: a cell there has a fixed size, and a log has not. Pass { algorithm: slidingWindowCounter } or another that counts, or share the log through SQLite.`,
  );
}

function checkCount(name: string, count: number, most: number): void {
  if (Number.isSafeInteger(count) && count >= 1 && count <= most) return;
  const wrong = `Cannot use ${JSON.stringify(count) ?? String(count)} as ${name}: it is a whole number from 1 to ${most}. Leave it out for the default.`;
  throw typeof count === "number" ? new RangeError(wrong) : new TypeError(wrong);
}
