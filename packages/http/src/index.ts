/**
 * Rate limits and a queue for overload in front of HTTP servers, and a fetch that behaves.
 *
 * @module
 */
export {};
