/**
 * The suite that any Sluice bucket must pass, with its exact traces, a generator of
 * random histories and an independent model in exact arithmetic.
 *
 * @module
 */
export { ALGORITHMS } from "@sluice/core";
export { type BucketSuiteOptions, bucketSuite } from "./bucket-suite.js";
export { BrokenLawError } from "./check.js";
export { HOSTILE_KEYS } from "./laws/keys.js";
export { Model, type ModelDecision, type ModelRate } from "./model/model.js";
export { keptTraces, type PlainRate, type RandomEvent, type RandomTrace, randomTraces } from "./random-traces.js";
export { loadTraces, type Trace, type TraceEvent } from "./traces.js";
