/**
 * What is known of those who wait for booked units: who waits, what is booked, and under
 * which rates.
 *
 * @module
 */
import type { Booking } from "../abstract-bucket.js";
import type { Decision } from "../decision.js";
import type { HeapNode } from "../heap.js";
import type { Waiter } from "./waiter.js";

/** The time between two replacements of the rates. */
export class Era {
  /** The share of the units in use at its end that surely still counted in the next. */
  share = 1;
  next: Era | undefined;

  /** The share of what was booked in this era that surely still counts. */
  get kept(): number {
    let kept = 1;
    for (let era: Era = this; era.next !== undefined; era = era.next) kept *= era.share;
    return kept;
  }
}

/** Units that the store has booked. */
export interface Slot {
  /** Its place among all slots: that in which they were asked for. */
  readonly order: number;
  readonly weight: number;
  readonly booking: Booking;
  /** When it was asked for. */
  readonly era: Era;
  /** When its units may be used, on the clock that the timers run on. */
  due: number;
}

/** A waiter, and what is booked for it. */
export class Booked implements HeapNode {
  heapIndex = -1;
  /** When the next thing happens: its time where it knows that, else its deadline. */
  due: number;
  /** Whether it is known to have to wait; if units are booked for it, it then passes when it is due. */
  waits = false;
  slot: Slot | undefined;

  /** @param order Its place among all waiters. */
  constructor(
    readonly line: BookedLine,
    readonly waiter: Waiter,
    readonly order: number,
  ) {
    this.due = waiter.deadline;
  }
}

/** A booking that the store was asked for. */
export interface Question {
  readonly held: Booked;
  /** The answer, once it is there. */
  booking?: Booking;
  /** Whether it was answered, or failed. */
  done: boolean;
}

/** The waiters of one key. */
export class BookedLine implements HeapNode {
  heapIndex = -1;
  /** After all waiters who are due at the same instant: nobody is asked for who leaves then. */
  readonly order = Number.POSITIVE_INFINITY;
  /** How the store, which is away, refused last; `undefined` while it is there. */
  refusal: Decision | undefined;
  /** When it may be asked again, where it is away. */
  due = Number.POSITIVE_INFINITY;
  /** First come, first served. */
  readonly waiters = new Set<Booked>();
  /** How many of them are known to have to wait. */
  waiting = 0;
  /** Slots whose waiters left. */
  readonly vacated: Slot[] = [];
  /** Whether who has which slot is to be settled anew; until then nobody books. */
  stale = false;
  /** How many questions the store has not answered. */
  asking = 0;
  /** Nobody may pass before this: it is when the last who knows its time does. */
  lastDue = Number.NEGATIVE_INFINITY;
  readonly #questions: Question[] = [];
  #heard = 0;

  constructor(readonly key: string) {}

  /** Whether there is nothing to remember. */
  get empty(): boolean {
    return this.waiters.size === 0 && this.vacated.length === 0 && this.asking === 0;
  }

  /**
   * Notes an answer that tells that the store is away, and says whether it is one: nobody books until `due` then.
   *
   * @param deadline That of the waiter who was answered.
   */
  pauseFor(answer: Decision, due: number, deadline: number): boolean {
    if (answer.allowed || !answer.degraded || due === Number.POSITIVE_INFINITY) return false;
    // A bucket that stands in for the store refuses those who have not the time, and is not away.
    if (this.refusal === undefined && due > deadline) return false;
    this.refusal = answer;
    this.due = due;
    this.stale = true;
    return true;
  }

  /** Notes that the store is back: all who have no slot may book. */
  resume(): void {
    this.refusal = undefined;
    this.stale = true;
  }

  /** Adds a question to those that are underway. */
  ask(held: Booked): Question {
    const question = { held, done: false };
    this.asking++;
    this.#questions.push(question);
    return question;
  }

  /** The next question in order that was answered, or `undefined` while those before it were not. */
  hear(): Question | undefined {
    while (this.#heard < this.#questions.length) {
      const question = this.#questions[this.#heard] as Question;
      const { gone } = question.held.waiter;
      if (!gone && !question.done) break;
      this.#heard++;
      if (!gone) return question;
    }
    // Half of the list at a time, so that each question is moved once on average.
    if (this.#heard * 2 >= this.#questions.length) {
      this.#questions.splice(0, this.#heard);
      this.#heard = 0;
    }
    return undefined;
  }
}
