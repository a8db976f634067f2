import { ceilMicroseconds, toMicroseconds, toMilliseconds } from "../duration.js";
import { Heap, type HeapNode } from "../heap.js";
import { describe } from "../rate.js";
import { AbstractClock } from "./abstract-clock.js";

interface Timer extends HeapNode {
  readonly due: number;
  readonly order: number;
  readonly callback: () => void;
}

/**
 * A clock that moves only when told to, for tests and for replaying the past.
 *
 * Timers fire in the order in which they fall due, each with the clock standing at its own instant.
 *
 * @example
 * ```ts
 * import { ManualClock } from "@sluice/core";
 *
 * const clock = new ManualClock();
 * const fired: number[] = [];
 * clock.schedule(500, () => fired.push(clock.now()));
 * clock.advance(1000);
 * clock.now(); // => 1000
 * fired; // => [500]
 * ```
 */
export class ManualClock extends AbstractClock {
  #now: number;
  #order = 0;
  #moves = 0;
  readonly #timers = new Heap<Timer>((a, b) => a.due < b.due || (a.due === b.due && a.order < b.order));

  /** @param start Milliseconds to begin at. */
  constructor(start = 0) {
    super();
    this.#now = instant(start);
  }

  override now(): number {
    return toMilliseconds(this.#now);
  }

  /** Timers that are still to fire. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves to `ms`, firing the timers that fall due on the way. Moving back fires none. */
  set(ms: number): void {
    const target = instant(ms);
    const move = ++this.#moves;
    for (let timer = this.#timers.peek(); timer !== undefined && timer.due <= target; timer = this.#timers.peek()) {
      this.#timers.remove(timer);
      this.#now = Math.max(this.#now, timer.due);
      timer.callback();
    }
    // A timer may have moved the clock further.
    this.#now = move === this.#moves ? target : Math.max(this.#now, target);
  }

  /** Moves on by `ms`, firing the timers that fall due on the way. */
  advance(ms: number): void {
    if (!(ms >= 0)) {
      throw new RangeError(`Cannot advance a clock by ${describe(ms)} ms: it is 0 or more. To step back, call set().`);
    }
    this.set(toMilliseconds(this.#now + toMicroseconds(ms)));
  }

  override elapsed(): number {
    return this.now();
  }

  override schedule(delay: number, callback: () => void): () => void {
    const due = this.#now + (delay > 0 ? Math.max(1, ceilMicroseconds(delay)) : 0);
    const timer: Timer = { due, order: this.#order++, callback, heapIndex: -1 };
    this.#timers.push(timer);
    return () => this.#timers.remove(timer);
  }
}

function instant(ms: number): number {
  if (typeof ms === "number" && ms >= 0 && toMicroseconds(ms) <= Number.MAX_SAFE_INTEGER) return toMicroseconds(ms);
  throw new RangeError(`Cannot set a clock to ${describe(ms)}: it shows milliseconds, 0 or more.`);
}
