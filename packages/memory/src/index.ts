/**
 * Sluice's buckets in memory: of one thread, and of all threads of a process.
 *
 * Imports nothing from Node: it runs in browsers, Deno, Bun and workers.
 *
 * @module
 */
export { InMemoryBucket, type InMemoryBucketOptions } from "./in-memory-bucket.js";
export type { SharedMemoryHandle, SharedRate } from "./shared/handle.js";
export {
  type SharedMemoryAttachOptions,
  SharedMemoryBucket,
  type SharedMemoryBucketOptions,
} from "./shared/shared-memory-bucket.js";
