/**
 * Sluice's bucket in Postgres, for limits that many processes and machines share.
 *
 * @module
 */
export type { PlaceOptions } from "./names.js";
export type { PostgresBucketOptions, PostgresOpenOptions } from "./options.js";
export type { PostgresPool, PostgresQuery } from "./pool.js";
export { PostgresBucket } from "./postgres-bucket.js";
export { PostgresClock } from "./postgres-clock.js";
export { ddl, migrate, type SchemaOptions } from "./schema.js";
