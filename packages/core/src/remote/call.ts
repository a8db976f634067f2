/**
 * Operations of callers, on their way to a store.
 *
 * @module
 */
import type { Kernel, State } from "../algorithms/kernel.js";
import { type Booked, cancel, type Operation, operate, reserve } from "../algorithms/operate.js";
import type { Decision } from "../decision.js";
import { toMicroseconds } from "../duration.js";
import type { StepOperation } from "./trip.js";

/** One operation of one caller. */
export abstract class Call<T = unknown> {
  readonly operation: StepOperation;
  readonly key: string;
  readonly weight: number;
  /** Whole microseconds; `undefined` lets the store's clock decide. */
  at: number | undefined;
  /** What `reserve` and `cancel` have to be told besides; see {@link Step}. */
  readonly time: number;
  /** When the caller asked, in milliseconds on the clock of the timers. */
  readonly since: number;
  /** Whether the caller was told that the store did not answer in time. */
  late = false;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;

  constructor(
    operation: StepOperation,
    key: string,
    weight: number,
    at: number | undefined,
    time: number,
    since: number,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ) {
    this.operation = operation;
    this.key = key;
    this.weight = weight;
    this.at = at;
    this.time = time;
    this.since = since;
    this.resolve = resolve;
    this.reject = reject;
  }

  /** Answers from the state that the store had before the call, which becomes the one after it. */
  abstract replay(kernel: Kernel, state: State, now: number): void;

  /** Answers with what the store decided, and the time that it went by where the call left it open. */
  abstract answer(decision: Decision, now: number): void;
}

/** A call that asks for the whole decision. */
export class DecisionCall extends Call<Decision> {
  override replay(kernel: Kernel, state: State, now: number): void {
    this.resolve(operate(kernel, this.operation as Operation, state, this.at ?? now, this.weight));
  }

  override answer(decision: Decision): void {
    this.resolve(decision);
  }
}

/** A call that takes a booking back. */
export class CancelCall extends DecisionCall {
  override replay(kernel: Kernel, state: State, now: number): void {
    this.resolve(cancel(kernel, state, this.at ?? now, this.weight, this.time, this.time));
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

/** A call that books ahead. */
export class ReserveCall extends Call<Booked> {
  override replay(kernel: Kernel, state: State, now: number): void {
    this.resolve(reserve(kernel, state, this.at ?? now, this.weight, this.time));
  }

  override answer(decision: Decision, now: number): void {
    this.resolve({ decision, at: (this.at ?? now) + toMicroseconds(decision.retryAfter), number: 0 });
  }
}
