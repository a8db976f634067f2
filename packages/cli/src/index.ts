/**
 * The `sluice` command, as a function: {@link run} takes arguments and streams and gives back the exit code.
 *
 * @module
 */
export { run } from "./run.js";
export type { DurationLike, ServeConfig } from "./serve/config.js";
export type { Output, Streams } from "./streams.js";
