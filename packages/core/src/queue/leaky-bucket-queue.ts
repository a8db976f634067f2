/**
 * The leaky bucket as a queue: callers stand in line and are let through as the bucket leaks.
 *
 * @module
 */
import { atLeast0, moreThan0, wholeAtLeast } from "../check-number.js";
import { checkOptions } from "../check-options.js";
import type { AbstractClock } from "../clock/abstract-clock.js";
import { MonotonicClock } from "../clock/monotonic-clock.js";
import { LimiterError } from "../errors.js";
import { type AbortSignalLike, Waiter } from "../limiter/waiter.js";
import { Waiters } from "../limiter/waiters.js";
import type { Mode } from "../mode.js";
import { describe } from "../rate.js";
import { Level } from "./level.js";

/** How a {@link LeakyBucketQueue} is made. */
export interface LeakyBucketQueueOptions {
  /** How much goes through at once, and in any `seconds` seconds when there is a queue. Fractions will do. */
  readonly capacity: number;
  /** In how many seconds a full bucket leaks empty. */
  readonly seconds: number;
  /** How many may stand in the queue; any number when left out. */
  readonly maxSize?: number;
  /** What happens to those who come when the queue is full: they wait for room (the default), or are turned away with `QUEUE_FULL`. */
  readonly whenFull?: "wait" | "reject";
  /** Where the time comes from; a {@link MonotonicClock} when left out. */
  readonly clock?: AbstractClock<Mode>;
}

/** How {@link LeakyBucketQueue.acquire} waits. */
export interface LeakyAcquireOptions {
  /** Milliseconds from the call until it gives up, the time in the queue included; any time when left out. */
  readonly timeout?: number;
  /** Ends the wait; the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignalLike;
}

/** What {@link LeakyBucketQueue.capacityInfo} tells. */
export interface CapacityInfo {
  /** Whether the amount would fit at this moment, if nobody stood in the queue. */
  readonly hasCapacity: boolean;
  /** How much has to leak before it would; 0 when it fits. */
  readonly neededCapacity: number;
}

/**
 * Lets callers through strictly in the order in which they came: `capacity` at once, and
 * then as fast as the bucket leaks, `capacity` in `seconds` seconds.
 *
 * However many stand in line, there is one timer, and none when nobody does. Who gives up
 * takes nothing, and those behind close up.
 *
 * @example
 * ```ts
 * import { LeakyBucketQueue } from "@sluice/core";
 *
 * await using queue = new LeakyBucketQueue({ capacity: 2, seconds: 1 });
 * await queue.acquire(1.5);
 * queue.capacityInfo(1).hasCapacity; // => false
 * await queue.acquire(1, { timeout: 1000 }); // about 250 ms later
 * ```
 */
export class LeakyBucketQueue {
  /** How much goes through at once. */
  readonly capacity: number;
  /** In how many seconds a full bucket leaks empty. */
  readonly seconds: number;
  /** How many may stand in the queue. */
  readonly maxSize: number;
  readonly #whenFull: "wait" | "reject";
  readonly #clock: AbstractClock<Mode>;
  readonly #level: Level;
  readonly #waiters = new Waiters<void>();
  #timerDue = Number.POSITIVE_INFINITY;
  #cancelTimer: (() => void) | undefined;
  #draining: Promise<void> | undefined;
  #drained = () => {};

  /** @throws RangeError or TypeError for numbers that cannot be. */
  constructor(options: LeakyBucketQueueOptions) {
    const example = "new LeakyBucketQueue({ capacity: 5, seconds: 1 })";
    const {
      capacity,
      seconds,
      maxSize = Number.POSITIVE_INFINITY,
      whenFull = "wait",
      clock = new MonotonicClock(),
    } = checkOptions("make a queue", options, example);
    this.capacity = finite("capacity", moreThan0("capacity", capacity, "Pass one."));
    this.seconds = finite("seconds", moreThan0("seconds", seconds, "Pass one."));
    this.maxSize = maxSize === Number.POSITIVE_INFINITY ? maxSize : wholeAtLeast(0, "maxSize", maxSize);
    if (whenFull !== "wait" && whenFull !== "reject") {
      throw new TypeError(`Cannot use ${describe(whenFull)} as whenFull: it is "wait" or "reject".`);
    }
    this.#whenFull = whenFull;
    this.#clock = clock;
    this.#level = new Level(capacity, capacity / (seconds * 1000), clock.elapsed());
  }

  /** How many stand in the queue; those beyond `maxSize` wait for room in it and do not count. */
  get size(): number {
    return Math.min(this.#waiters.size, this.maxSize);
  }

  /**
   * Waits until `amount` fits, after all who came before, and takes it.
   *
   * Rejects with RangeError at once for an amount above the capacity, with
   * {@link LimiterError} `TIMEOUT` when the time is over, `QUEUE_FULL` where the queue is
   * full and turns away, and `CLOSED` after {@link shutdown}.
   */
  acquire(amount = 1, options: LeakyAcquireOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const example = "acquire(2, { timeout: 1000 })";
      const { timeout = Number.POSITIVE_INFINITY, signal } = checkOptions("acquire", options, example);
      checkAmount(amount, this.capacity);
      atLeast0("timeout", timeout);
      if (this.#draining !== undefined) {
        throw new LimiterError("CLOSED", "Cannot acquire: the queue was shut down. Make a new one.");
      }
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const now = this.#clock.elapsed();
      if (this.#waiters.size === 0 && this.#level.admit(amount, now)) {
        resolve();
        return;
      }
      if (this.#whenFull === "reject" && this.#waiters.size >= this.maxSize) {
        const rule = `${this.maxSize} wait already, and maxSize is ${this.maxSize}. Retry later or raise maxSize.`;
        throw new LimiterError("QUEUE_FULL", `Cannot acquire ${amount}: ${rule}`);
      }
      const waiter = new Waiter<void>(amount, timeout, signal, resolve, reject);
      waiter.deadline = now + timeout;
      this.#waiters.append(waiter, (leaver) => this.#turnAway(leaver, leaver.signal?.reason));
      this.#setTimer(now);
    });
  }

  /** Whether an amount would fit at this moment, and how much has to leak before it would. */
  capacityInfo(amount = 1): CapacityInfo {
    checkAmount(amount, this.capacity);
    const neededCapacity = this.#level.excess(amount, this.#clock.elapsed());
    return { hasCapacity: neededCapacity === 0, neededCapacity };
  }

  /** Lets those who stand in the queue through, each in its time, and refuses all who come later. */
  shutdown(): Promise<void> {
    this.#draining ??= new Promise((resolve) => {
      this.#drained = resolve;
      this.#endIfDrained();
    });
    return this.#draining;
  }

  /** Shuts the queue down at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  /** Lets through whoever fits, turns away whoever is late, and sets the timer for the next. */
  #serve(): void {
    const now = this.#clock.elapsed();
    for (let first = this.#waiters.first; first !== undefined; first = this.#waiters.first) {
      if (!this.#level.admit(first.weight, now)) break;
      this.#waiters.remove(first);
      first.resolve();
    }
    for (let late = this.#waiters.late(now); late !== undefined; late = this.#waiters.late(now)) {
      const rule = `it did not fit within the timeout of ${late.timeout} ms`;
      this.#waiters.remove(late);
      late.reject(new LimiterError("TIMEOUT", `Cannot acquire ${late.weight}: ${rule}. Allow more time.`));
    }
    this.#setTimer(now);
    this.#endIfDrained();
  }

  #turnAway(waiter: Waiter<void>, reason: unknown): void {
    this.#waiters.remove(waiter);
    waiter.reject(reason);
    this.#serve();
  }

  /** One timer: for the first in line, or for the next deadline. */
  #setTimer(now: number): void {
    const first = this.#waiters.first;
    const fits = first === undefined ? Number.POSITIVE_INFINITY : this.#level.fitsAt(first.weight, now);
    const due = Math.min(fits, this.#waiters.nextDeadline);
    if (due === this.#timerDue) return;
    this.#cancelTimer?.();
    this.#timerDue = due;
    this.#cancelTimer = undefined;
    if (due === Number.POSITIVE_INFINITY) return;
    this.#cancelTimer = this.#clock.schedule(due - now, () => {
      this.#timerDue = Number.POSITIVE_INFINITY;
      this.#cancelTimer = undefined;
      this.#serve();
    });
  }

  #endIfDrained(): void {
    if (this.#waiters.size === 0) this.#drained();
  }
}

function checkAmount(amount: number, capacity: number): void {
  finite("amount", atLeast0("amount", amount));
  if (amount <= capacity) return;
  const rule = `the bucket holds ${capacity}`;
  throw new RangeError(`Cannot acquire ${amount}: ${rule}. Ask for less at a time or raise the capacity.`);
}

function finite(name: string, value: number): number {
  if (value !== Number.POSITIVE_INFINITY) return value;
  throw new RangeError(`Cannot use ${value} as ${name}: it is a finite number. Pass one.`);
}
