/**
 * The front door of Sluice: a limiter in one line, in memory or in the store that a URL names, and all of core and memory.
 *
 * @module
 */
export * from "@sluice/core";
export * from "@sluice/memory";
export { Budget, type BudgetInMemoryOptions, type BudgetLimitLike } from "./budget.js";
export { type CreateLimiterOptions, createLimiter } from "./create-limiter.js";
export { type OpenBucketOptions, openBucket } from "./open-bucket.js";
export { type OpenLimiterOptions, openLimiter } from "./open-limiter.js";
