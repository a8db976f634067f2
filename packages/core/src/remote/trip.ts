/**
 * What a trip to a store carries: the operations of many callers, gathered by key.
 *
 * @module
 */
import type { Cell, Kernel } from "../algorithms/kernel.js";
import type { Operation } from "../algorithms/operate.js";
import type { Decision } from "../decision.js";
import type { Call } from "./call.js";

/**
 * What can be done to a cell: see the methods of a bucket of the same names. Only algorithms
 * that book are asked to `reserve`, weights that fit in an empty cell, and to `cancel`.
 */
export type StepOperation = Operation | "reserve" | "cancel";

/** An operation, once or several times in a row. */
export interface Step {
  /** What is done. */
  readonly operation: StepOperation;
  /** Units, 0 or more; the same each time. */
  readonly weight: number;
  /** Whole microseconds; `undefined` lets the store's clock decide. */
  readonly at: number | undefined;
  /**
   * For `reserve` the longest wait, for `cancel` of a log what the units were booked for, both in
   * microseconds; for `cancel` of a cell the number of the booking. 0 for all other operations.
   */
  readonly time: number;
  /** How many times, 1 or more. */
  readonly count: number;
}

/** What a trip does to one key, in this order. */
export interface CellSteps {
  /** Whose cell it is. No two of a trip have the same. */
  readonly key: string;
  /** One step or more. */
  readonly steps: readonly Step[];
}

/**
 * What a store answers for one key.
 *
 * For an algorithm of fixed size: the state that it found before the first step, and the
 * time that it went by where a step left it open. The kernel works the decisions out from
 * that, so that a dialect has but to find the same next state. For the log, which is too
 * large to send: the decisions, one for each time of each step.
 */
export type CellAnswer =
  | {
      /** Whole microseconds on the store's clock. */
      readonly now: number;
      /** A copy; it is written over. */
      readonly before: Cell;
    }
  | {
      /** Whole microseconds on the store's clock. */
      readonly now: number;
      /** One for each time of each step. A booking's `retryAfter` is its delay. */
      readonly decisions: readonly Decision[];
    };

/** The calls of one trip for one key. */
class Group implements CellSteps {
  readonly key: string;
  readonly steps: { -readonly [Part in keyof Step]: Step[Part] }[] = [];
  readonly calls: Call[] = [];

  constructor(key: string) {
    this.key = key;
  }

  add(call: Call): void {
    const { operation, weight, at, time } = call;
    const last = this.steps[this.steps.length - 1];
    const same = last?.operation === operation && last.weight === weight && last.at === at && last.time === time;
    if (same) last.count++;
    else this.steps.push({ operation, weight, at, time, count: 1 });
    this.calls.push(call);
  }

  settle(kernel: Kernel, answer: CellAnswer): void {
    if ("decisions" in answer) {
      const { decisions, now } = answer;
      for (let i = 0; i < this.calls.length; i++) (this.calls[i] as Call).answer(decisions[i] as Decision, now);
    } else {
      for (const call of this.calls) call.replay(kernel, answer.before, answer.now);
    }
  }
}

/** Calls that ride together: those for one key in their order, keys in the order of their first call. */
export class Trip {
  readonly groups: readonly Group[];
  readonly calls: readonly Call[];

  constructor(calls: readonly Call[]) {
    this.calls = calls;
    const groups: Group[] = [];
    const byKey = new Map<string, Group>();
    for (const call of calls) {
      let group = byKey.get(call.key);
      if (group === undefined) {
        group = new Group(call.key);
        byKey.set(call.key, group);
        groups.push(group);
      }
      group.add(call);
    }
    this.groups = groups;
  }

  /** Gives every caller its answer; the answers come in the order of the groups. */
  settle(kernel: Kernel, answers: readonly CellAnswer[]): void {
    for (let i = 0; i < this.groups.length; i++) (this.groups[i] as Group).settle(kernel, answers[i] as CellAnswer);
  }

  /** Tells every caller what went wrong. */
  fail(error: unknown): void {
    for (const call of this.calls) call.reject(error);
  }
}
