/**
 * The front door of Sluice: a limiter in one line, and all of core and memory.
 *
 * @module
 */
export * from "@sluice/core";
export * from "@sluice/memory";
export { Budget, type BudgetInMemoryOptions, type BudgetLimitLike } from "./budget.js";
export { type CreateLimiterOptions, createLimiter } from "./create-limiter.js";
