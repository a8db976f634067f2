/**
 * Our buckets as a `Store` of express-rate-limit.
 *
 * @module
 */
export type { OpenBucket, OpenBucketOptions } from "../hits/open-bucket.js";
export type { Soon } from "../hits/soon.js";
export { type ExpressHits, ExpressStore, type ExpressStoreOptions } from "./express-store.js";
export type { ExpressStoreInit } from "./hit-source.js";
