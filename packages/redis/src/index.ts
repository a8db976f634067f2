/**
 * The redis bucket of Sluice.
 *
 * @module
 */
export {};
