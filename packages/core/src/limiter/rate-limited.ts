/**
 * Methods that run within a limit.
 *
 * @module
 */
import { checkOptions } from "../check-options.js";
import type { Mode } from "../mode.js";
import { describe } from "../rate.js";
import { Limiter } from "./limiter.js";
import { limitedFunction, type OnLimited, type Wrappable } from "./wrap.js";

/** How to find something from `this` and the arguments of a call. */
export type FromCall<T> = (this: never, ...args: never[]) => T;

/** How a method is limited; see {@link rateLimited}. */
export interface RateLimitedOptions<
  K extends string | FromCall<string>,
  W extends number | FromCall<number>,
  O extends OnLimited,
> {
  /** The key, or how to find it from `this` and the arguments; one shared key when left out. */
  readonly key?: K;
  /** Units that a call costs, or how to find them from `this` and the arguments; 1 when left out. */
  readonly weight?: W;
  /** What happens to a call that is not admitted; `"throw"` when left out. */
  readonly onLimited?: O;
  /** Milliseconds that `"wait"` waits at most; any time when left out. */
  readonly timeout?: number;
}

/** What a limited method must give back: as for a wrapped function, and room for `undefined` where a call may be skipped. */
export type Limitable<M extends Mode, O extends OnLimited, R> = [R] extends [Wrappable<M, O>]
  ? O extends "skip"
    ? undefined extends Awaited<R>
      ? R
      : never
    : R
  : never;

/** A method that takes what `key` and `weight` ask for, and gives back what the limiter needs. */
export type Fitting<M extends Mode, K, W, O extends OnLimited, T, A extends unknown[], R> = [R] extends [
  Limitable<M, O, R>,
]
  ? [K | W] extends [string | number | ((this: T, ...args: A) => string | number)]
    ? unknown
    : never
  : never;

/** What {@link rateLimited} gives back: a decorator of methods, by the standard and by TypeScript's older design. */
export interface MethodDecorator<M extends Mode, K, W, O extends OnLimited> {
  /** By the standard. */
  <T, A extends unknown[], R>(
    method: ((this: T, ...args: A) => R) & Fitting<M, K, W, O, T, A, R>,
    context: ClassMethodDecoratorContext<T, (this: T, ...args: A) => R>,
  ): (this: T, ...args: A) => R;
  /** With `experimentalDecorators`. */
  <T extends object, A extends unknown[], R>(
    target: T,
    name: string | symbol,
    descriptor: TypedPropertyDescriptor<(...args: A) => R> & Fitting<M, K, W, O, T, A, R>,
  ): void;
}

/**
 * Limits a method: a call that is not admitted never runs.
 *
 * Serves as a standard decorator and with `experimentalDecorators`. The type of the method
 * is kept. Where the limiter is async, or calls wait, the method must give a promise, and
 * where calls may be skipped, its type must have room for `undefined`: anything else is a
 * compile error.
 *
 * @example
 * ```ts no-run
 * import { rateLimited } from "@sluice/core";
 * import { createLimiter } from "sluice";
 *
 * const limiter = createLimiter("100/min");
 *
 * class Mailer {
 *   constructor(readonly tenant: string) {}
 *
 *   @rateLimited(limiter, { key: function (this: Mailer) { return this.tenant; }, onLimited: "wait" })
 *   async send(to: string): Promise<string> {
 *     return `sent to ${to}`;
 *   }
 * }
 * await new Mailer("acme").send("ada@example.org");
 * ```
 */
export function rateLimited<
  M extends Mode,
  K extends string | FromCall<string> = string,
  W extends number | FromCall<number> = number,
  O extends OnLimited = "throw",
>(limiter: Limiter<M>, options: RateLimitedOptions<K, W, O> = {}): MethodDecorator<M, K, W, O> {
  if (!(limiter instanceof Limiter)) {
    const hint = 'For a rate such as "100/min", call createLimiter from the package sluice.';
    throw new TypeError(`Cannot limit methods by ${describe(limiter)}: pass a limiter. ${hint}`);
  }
  checkOptions("limit methods", options, '@rateLimited(limiter, { key: "mail" })');
  const limit = (method: unknown, name: unknown): unknown => {
    if (typeof method !== "function") {
      throw new TypeError(`Cannot limit ${describe(String(name))}: @rateLimited goes on a method. Move it to one.`);
    }
    return limitedFunction(limiter as Limiter<M>, method as never, options as object);
  };
  // By the standard the second argument is a context; by the older design a name, and nothing for a class.
  const decorate = (target: unknown, place: unknown, descriptor?: PropertyDescriptor): unknown => {
    if (typeof place === "object" && place !== null) {
      const { kind, name } = place as { kind: string; name: string | symbol };
      return limit(kind === "method" ? target : undefined, name);
    }
    const value = limit(descriptor?.value, place ?? (target as { name?: unknown }).name);
    (descriptor as PropertyDescriptor).value = value;
    return undefined;
  };
  return decorate as MethodDecorator<M, K, W, O>;
}
