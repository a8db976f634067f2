/**
 * What one thread hands to another so that it can attach to a bucket in shared memory.
 *
 * @module
 */
import { type Algorithm, Rate } from "@sluice/core";

/** A bucket in shared memory as plain data: pass it on in `workerData` or by `postMessage`. */
export interface SharedMemoryHandle {
  /** The memory itself, which is shared and not copied. */
  readonly buffer: SharedArrayBuffer;
  /** The name of the algorithm. Functions do not cross threads, so the other thread brings its own of that name. */
  readonly algorithm: string;
  /** The rates, shortest interval first; intervals in milliseconds. */
  readonly rates: readonly SharedRate[];
  /** Tells the handles of a bucket apart, for `reclaim`. */
  readonly id: number;
}

/** A {@link Rate} as plain data. */
export interface SharedRate {
  /** Units per interval. */
  readonly limit: number;
  /** Milliseconds. */
  readonly interval: number;
  /** Units at one instant. */
  readonly burst: number;
}

/** Checks that a value is a handle and was made for an algorithm of that name; gives back its rates. */
export function ratesOf(handle: SharedMemoryHandle, algorithm: Algorithm | undefined): Rate[] {
  if (!isHandle(handle)) {
    throw new TypeError("Cannot attach to what is not a handle: pass what share() of the other thread's bucket gave.");
  }
  if (handle.algorithm !== algorithm?.name) {
    throw new RangeError(
      `Cannot attach with ${algorithm?.name ?? "no algorithm"}: the bucket was made for ${handle.algorithm}. Pass the algorithm of that name, as in { algorithm: tokenBucket }.`,
    );
  }
  return handle.rates.map(({ limit, interval, burst }) => new Rate(limit, interval, burst));
}

function isHandle(handle: SharedMemoryHandle): boolean {
  if (typeof handle !== "object" || handle === null) return false;
  const { buffer, algorithm, rates, id } = handle;
  return isShared(buffer) && typeof algorithm === "string" && Array.isArray(rates) && id > 0;
}

/** Says so of buffers of other realms too. */
function isShared(buffer: unknown): boolean {
  return Object.prototype.toString.call(buffer) === "[object SharedArrayBuffer]";
}
