/**
 * Our buckets as the `store` of @fastify/rate-limit.
 *
 * @module
 */
export type { OpenBucket, OpenBucketOptions } from "../hits/open-bucket.js";
export type { Soon } from "../hits/soon.js";
export {
  type FastifyHits,
  type FastifyStore,
  type FastifyStoreCallback,
  type FastifyStoreClass,
  fastifyStore,
} from "./fastify-store.js";
