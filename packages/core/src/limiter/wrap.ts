/**
 * What a wrapped function looks like, in types.
 *
 * @module
 */
import type { Mode } from "../mode.js";

/** What happens to a call that is not admitted: an error, a wait, or nothing but `undefined`. */
export type OnLimited = "throw" | "wait" | "skip";

/** How a function is limited; see {@link Limiter.wrap}. */
export interface WrapOptions<A extends unknown[], O extends OnLimited> {
  /** The key, or how to find it from the arguments; one shared key when left out. */
  readonly key?: string | ((...args: A) => string);
  /** Units that a call costs, or how to find them from the arguments; 1 when left out. */
  readonly weight?: number | ((...args: A) => number);
  /** What happens to a call that is not admitted; `"throw"` when left out. */
  readonly onLimited?: O;
  /** Milliseconds that `"wait"` waits at most; any time when left out. */
  readonly timeout?: number;
}

/** What a function must give back to be limited: a promise, wherever the limiter or the wait needs time. */
export type Wrappable<M extends Mode, O extends OnLimited> = {
  /** Under a limiter that answers at once: anything, unless the call is to wait. */
  sync: O extends "wait" ? Promise<unknown> : unknown;
  /** Under a limiter that answers by promises: a promise. */
  async: Promise<unknown>;
}[M];

/** What the limited function gives back: as before, or `undefined` where a call may be skipped. */
export type Wrapped<R, O extends OnLimited> = O extends "skip"
  ? R extends Promise<infer T>
    ? Promise<T | undefined>
    : R | undefined
  : R;
