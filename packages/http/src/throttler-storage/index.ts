/**
 * Our buckets as the `ThrottlerStorage` of @nestjs/throttler.
 *
 * @module
 */
export type { OpenBucket, OpenBucketOptions } from "../hits/open-bucket.js";
export type { Soon } from "../hits/soon.js";
export { BucketThrottlerStorage, type ThrottlerHits } from "./bucket-throttler-storage.js";
