import type { Decision } from "../decision.js";
import { Heap } from "../heap.js";
import type { Waiter } from "./waiter.js";

/** Waiters in the order in which they came; any of them can leave in O(1), or O(log n) where it has a deadline. */
export class Waiters<T = Decision> {
  readonly #deadlines = new Heap<Waiter<T>>((a, b) => a.deadline < b.deadline);
  #first: Waiter<T> | undefined;
  #last: Waiter<T> | undefined;
  #size = 0;

  get first(): Waiter<T> | undefined {
    return this.#first;
  }

  get last(): Waiter<T> | undefined {
    return this.#last;
  }

  get size(): number {
    return this.#size;
  }

  /** When the first deadline of any is over; `Infinity` where none has one. */
  get nextDeadline(): number {
    return this.#deadlines.peek()?.deadline ?? Number.POSITIVE_INFINITY;
  }

  /** The one whose deadline is over first, if it is by `now`. */
  late(now: number): Waiter<T> | undefined {
    return this.nextDeadline <= now ? this.#deadlines.peek() : undefined;
  }

  /** Adds a waiter to the end; `onAbort` is called when its signal is raised while it is in line. */
  append(waiter: Waiter<T>, onAbort: (waiter: Waiter<T>) => void): void {
    waiter.previous = this.#last;
    if (this.#last === undefined) this.#first = waiter;
    else this.#last.next = waiter;
    this.#last = waiter;
    this.#size++;
    if (waiter.deadline !== Number.POSITIVE_INFINITY) this.#deadlines.push(waiter);
    waiter.listen(onAbort);
  }

  /** Takes a waiter out; those behind it close up. */
  remove(waiter: Waiter<T>): void {
    const { previous, next } = waiter;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    this.#size--;
    this.#deadlines.remove(waiter);
    waiter.leave();
  }
}
