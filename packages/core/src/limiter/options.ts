import type { AbortSignalLike } from "./waiter.js";

/** What a limiter can be told. */
export interface LimiterOptions {
  /** Its name in errors; `"limiter"` when left out. */
  readonly name?: string;
  /** How many may wait for one key at a time; no bound when left out. */
  readonly maxQueue?: number;
  /**
   * Milliseconds added to each wait, 0 when left out: for those who limit themselves
   * against somebody else's clock, which may run behind.
   */
  readonly buffer?: number;
}

/** How {@link Limiter.acquire} waits. */
export interface AcquireOptions {
  /** Units to take; 1 when left out. */
  readonly weight?: number;
  /** Milliseconds to wait at most; any time when left out. */
  readonly timeout?: number;
  /** Ends the wait; the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignalLike;
}

/** How {@link Limiter.reserve} books. */
export interface ReserveOptions {
  /** Milliseconds that the units may lie ahead at most; any time when left out. */
  readonly maxWait?: number;
}
