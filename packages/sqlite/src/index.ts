/**
 * The sqlite bucket of Sluice.
 *
 * @module
 */
export {};
