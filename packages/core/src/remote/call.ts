/**
 * Operations of callers, on their way to a store.
 *
 * @module
 */
import type { Kernel, State } from "../algorithms/kernel.js";
import { type Operation, operate } from "../algorithms/operate.js";
import type { Decision } from "../decision.js";

/** One operation of one caller. */
export abstract class Call<T = unknown> {
  readonly operation: Operation;
  readonly key: string;
  readonly weight: number;
  /** Whole microseconds; `undefined` lets the store's clock decide. */
  at: number | undefined;
  /** When the caller asked, in milliseconds on the clock of the timers. */
  readonly since: number;
  /** Whether the caller was told that the store did not answer in time. */
  late = false;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;

  constructor(
    operation: Operation,
    key: string,
    weight: number,
    at: number | undefined,
    since: number,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ) {
    this.operation = operation;
    this.key = key;
    this.weight = weight;
    this.at = at;
    this.since = since;
    this.resolve = resolve;
    this.reject = reject;
  }

  /** Answers from the state that the store had before the call, which becomes the one after it. */
  abstract replay(kernel: Kernel, state: State, now: number): void;

  /** Answers with what the store decided. */
  abstract answer(decision: Decision): void;
}

/** A call that asks for the whole decision. */
export class DecisionCall extends Call<Decision> {
  override replay(kernel: Kernel, state: State, now: number): void {
    this.resolve(operate(kernel, this.operation, state, this.at ?? now, this.weight));
  }

  override answer(decision: Decision): void {
    this.resolve(decision);
  }
}

/** A put that asks for the yes or no alone. */
export class TryCall extends Call<boolean> {
  override replay(kernel: Kernel, state: State, now: number): void {
    this.resolve(this.weight === 0 || kernel.admit(state, this.at ?? now, this.weight));
  }

  override answer(decision: Decision): void {
    this.resolve(decision.allowed);
  }
}
