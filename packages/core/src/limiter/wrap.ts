/**
 * Functions that run within a limit.
 *
 * @module
 */
import { checkOptions } from "../check-options.js";
import type { Decision } from "../decision.js";
import { RateLimitExceededError } from "../errors.js";
import { SHARED_KEY } from "../item.js";
import { andThen, type Mode } from "../mode.js";
import { describe } from "../rate.js";
import type { Limiter } from "./limiter.js";

/** What happens to a call that is not admitted: an error, a wait, or nothing but `undefined`. */
export type OnLimited = "throw" | "wait" | "skip";

/** How a function is limited; see {@link Limiter.wrap}. */
export interface WrapOptions<T, A extends unknown[], O extends OnLimited> {
  /** The key, or how to find it from `this` and the arguments; one shared key when left out. */
  readonly key?: string | ((this: T, ...args: A) => string);
  /** Units that a call costs, or how to find them from `this` and the arguments; 1 when left out. */
  readonly weight?: number | ((this: T, ...args: A) => number);
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

/** Makes what {@link Limiter.wrap} gives back. */
export function limitedFunction<M extends Mode, T, A extends unknown[], R extends Wrappable<M, O>, O extends OnLimited>(
  limiter: Limiter<M>,
  fn: (this: T, ...args: A) => R,
  options: WrapOptions<T, A, O>,
): (this: T, ...args: A) => Wrapped<R, O> {
  if (typeof fn !== "function") {
    throw new TypeError(`Cannot limit ${describe(fn)}: it is not a function. Pass one, as in wrap(() => send(mail)).`);
  }
  const example = 'wrap(fn, { key: "mail" })';
  const {
    key = SHARED_KEY,
    weight = 1,
    onLimited,
    timeout = Number.POSITIVE_INFINITY,
  } = checkOptions(`limit ${describe(fn.name)}`, options, example);
  if (onLimited !== undefined && !["throw", "wait", "skip"].includes(onLimited)) {
    throw new TypeError(`Cannot use ${describe(onLimited)} as onLimited: it is "throw", "wait" or "skip".`);
  }
  const givesPromise = onLimited === "wait" || limiter.mode === "async";
  if (givesPromise && isGenerator(fn)) throw answersAtOnce(fn.name);
  // Of any other function only its first call tells whether it gives a promise.
  const checked = (result: R): R => {
    if (!givesPromise || isThenable(result)) return result;
    throw answersAtOnce(fn.name);
  };
  return likewise(fn, function limited(this: T, ...args: A) {
    const run = () => checked(fn.apply(this, args));
    const call = (): unknown => {
      const ownKey = typeof key === "function" ? key.apply(this, args) : key;
      const ownWeight = typeof weight === "function" ? weight.apply(this, args) : weight;
      if (onLimited === "wait") return limiter.acquire(ownKey, { weight: ownWeight, timeout }).then(run);
      return andThen(limiter.mode, limiter.consume(ownKey, ownWeight), (decision: Decision): unknown => {
        if (decision.allowed) return run();
        if (onLimited === "skip") return undefined;
        throw new RateLimitExceededError({ limiter: limiter.name, key: ownKey, weight: ownWeight, decision });
      });
    };
    // Where a promise is promised, an error on the way to it is a rejection.
    return (givesPromise ? new Promise((resolve) => resolve(call())) : call()) as Wrapped<R, O>;
  });
}

/** Gives a function the name and the length of another. */
function likewise<F extends object>({ name, length }: { name: string; length: number }, fn: F): F {
  return Object.defineProperties(fn, {
    name: { value: name, configurable: true },
    length: { value: length, configurable: true },
  });
}

function answersAtOnce(name: string): TypeError {
  const rule = "it answers at once, and the limiter, or the wait, takes time";
  return new TypeError(`Cannot limit ${describe(name)}: ${rule}. Make it async, or limit it by a sync limiter.`);
}

/** Whether a function gives an iterator, async or not, and so never a promise. */
function isGenerator(fn: object): boolean {
  return /GeneratorFunction$/.test(String((fn as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag]));
}

function isThenable(value: unknown): boolean {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}
