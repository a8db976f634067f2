/**
 * The seam between the synchronous and the asynchronous world.
 *
 * A bucket answers at once or by a promise, and its type says which. All casts
 * between the two live in this file.
 *
 * @module
 */
import type { AbstractBucket } from "./abstract-bucket.js";

/** Whether a bucket, factory or limiter answers at once (`"sync"`) or by a promise (`"async"`). */
export type Mode = "sync" | "async";

/**
 * What a call gives back in mode `M`: the value itself, or a promise of it.
 *
 * `Outcome<"sync", boolean>` is `boolean`, `Outcome<"async", boolean>` is
 * `Promise<boolean>`: never a union, so that a forgotten `await` is a compile error.
 */
export type Outcome<M extends Mode, T> = {
  /** At once. */
  sync: T;
  /** By a promise. */
  async: Promise<T>;
}[M];

/** Brings a value, or a promise of it, into the form that `mode` asks for. */
export function lift<M extends Mode, T>(mode: M, value: T | Promise<T>): Outcome<M, T> {
  return (mode === "sync" ? value : Promise.resolve(value)) as Outcome<M, T>;
}

/** The promise of an outcome; `undefined` for one that is there at once. */
export function promiseOf<M extends Mode, T>(mode: M, outcome: Outcome<M, T>): Promise<T> | undefined {
  return mode === "sync" ? undefined : (outcome as Promise<T>);
}

/** Throws `error` (sync), or gives back a promise that is rejected with it (async). */
export function failed<M extends Mode, T>(mode: M, error: unknown): Outcome<M, T> {
  if (mode === "sync") throw error;
  return Promise.reject(error) as Outcome<M, T>;
}

/** Applies `next` now (sync) or on resolution (async); `next` may itself give an outcome of the same mode. */
export function andThen<M extends Mode, A, B>(
  mode: M,
  value: Outcome<M, A>,
  next: (value: A) => B | Outcome<M, B>,
): Outcome<M, B> {
  return (mode === "sync" ? next(value as A) : (value as Promise<A>).then(next)) as Outcome<M, B>;
}

/** Runs `visit` over the items one after another, each after the one before it has its answer. */
export function inOrder<M extends Mode, A, B>(
  mode: M,
  items: readonly A[],
  visit: (item: A) => Outcome<M, B>,
): Outcome<M, B[]> {
  if (mode === "sync") return items.map((item) => visit(item) as B) as Outcome<M, B[]>;
  const run = async () => {
    const answers: B[] = [];
    for (const item of items) answers.push(await visit(item));
    return answers;
  };
  return run() as Outcome<M, B[]>;
}

/** Whether a bucket answers at once. */
export function answersAtOnce(bucket: AbstractBucket<Mode>): bucket is AbstractBucket<"sync"> {
  return bucket.mode === "sync";
}

/** Hands the value, or the error, to one of two callbacks: at once (sync), or later (async). */
export function whenSettled<M extends Mode, T>(
  mode: M,
  run: () => Outcome<M, T>,
  onValue: (value: T) => void,
  onError: (error: unknown) => void,
): void {
  let outcome: Outcome<M, T>;
  try {
    outcome = run();
  } catch (error) {
    onError(error);
    return;
  }
  if (mode === "sync") onValue(outcome as T);
  else (outcome as Promise<T>).then(onValue, onError);
}

/** Lets two callbacks see the value, or the error, on its way to the caller: at once (sync), or later (async). */
export function seen<M extends Mode, T>(
  mode: M,
  run: () => Outcome<M, T>,
  onValue: (value: T) => void,
  onError: (error: unknown) => void,
): Outcome<M, T> {
  const pass = (value: T): T => {
    onValue(value);
    return value;
  };
  const fail = (error: unknown): never => {
    onError(error);
    throw error;
  };
  if (mode === "async") return (run() as Promise<T>).then(pass, fail) as Outcome<M, T>;
  let value: T;
  try {
    value = run() as T;
  } catch (error) {
    return fail(error);
  }
  return pass(value) as Outcome<M, T>;
}
