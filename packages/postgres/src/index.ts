/**
 * The postgres bucket of Sluice.
 *
 * @module
 */
export {};
