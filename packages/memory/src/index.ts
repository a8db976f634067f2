/**
 * Sluice's bucket in memory.
 *
 * Imports nothing from Node: it runs in browsers, Deno, Bun and workers.
 *
 * @module
 */
export { InMemoryBucket, type InMemoryBucketOptions } from "./in-memory-bucket.js";
