/**
 * The Redis bucket of Sluice, on ioredis: for single nodes and Cluster.
 *
 * @module
 */
export { RedisBucket, type RedisBucketOptions } from "./redis-bucket.js";
export type { RedisClient } from "./redis-client.js";
export { RedisClock } from "./redis-clock.js";
