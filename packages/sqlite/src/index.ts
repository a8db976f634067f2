/**
 * The SQLite bucket of Sluice: limits that the processes of one machine share by a file.
 *
 * @module
 */
export type { SQLiteChanges, SQLiteDatabase, SQLiteStatement } from "./driver.js";
export type { SQLiteBucketOptions, SQLiteOpenOptions, Synchronous } from "./options.js";
export { SQLiteBucket } from "./sqlite-bucket.js";
export { SQLiteClock } from "./sqlite-clock.js";
