/**
 * Runs steps that wait for stores, at once or by promises. What casts between the two
 * worlds this package needs live here.
 *
 * @module
 */
import { lift, type Mode, type Outcome } from "@sluice/core";

/** Steps that hand out what they wait for, and are resumed with its value, or its error. */
export type Steps<A, T> = Generator<A | Promise<A>, T, A>;

/** Runs steps to their end: now (sync), or as their promises are fulfilled (async). */
export function drive<M extends Mode, A, T>(mode: M, steps: Steps<A, T>): Outcome<M, T> {
  if (mode === "async") return lift<M, T>(mode, follow(steps));
  let step = steps.next();
  while (!step.done) step = steps.next(step.value as A);
  return lift<M, T>(mode, step.value);
}

/** The value of what is known to have answered at once. */
export function atOnce<T>(outcome: T | Promise<T>): T {
  return outcome as T;
}

async function follow<A, T>(steps: Steps<A, T>): Promise<T> {
  let step = steps.next();
  while (!step.done) step = await resume(steps, step.value);
  return step.value;
}

async function resume<A, T>(steps: Steps<A, T>, awaited: A | Promise<A>): Promise<IteratorResult<A | Promise<A>, T>> {
  let value: A;
  try {
    value = await awaited;
  } catch (error) {
    return steps.throw(error);
  }
  return steps.next(value);
}
