/**
 * Those who wait for units of a shared store, each with units booked for it.
 *
 * The store is asked once for each: it says when the units will be there, and keeps the
 * order among all processes. However many wait, there is one timer.
 *
 * @module
 */
import type { AbstractBucket, Booking } from "../abstract-bucket.js";
import type { Decision } from "../decision.js";
import { ceilMicroseconds, toMilliseconds } from "../duration.js";
import { LimiterError, RateLimitExceededError } from "../errors.js";
import { Heap, type HeapNode } from "../heap.js";
import { describe } from "../rate.js";
import { type LineSettings, queueFull } from "./line.js";
import type { Waiter } from "./waiter.js";

/** A waiter, and what is booked for it. */
class Booked implements HeapNode {
  heapIndex = -1;
  /** When the next thing happens: its deadline until the store has answered, then its time. */
  due: number;
  /** What the store answered. */
  booking: Booking | undefined;

  constructor(
    readonly key: string,
    readonly waiter: Waiter,
  ) {
    this.due = waiter.deadline;
  }
}

/** The waiters of one bucket that books ahead. */
export class Bookings {
  readonly #settings: Omit<LineSettings, "onEmpty">;
  readonly #bucket: AbstractBucket<"async">;
  readonly #onEmpty: () => void;
  readonly #held = new Set<Booked>();
  readonly #due = new Heap<Booked>((a, b) => a.due < b.due);
  /** How many wait for their time, for each key that somebody waits for. */
  readonly #waiting = new Map<string, number>();
  /** What the store is being asked: bookings, and to take some back. */
  readonly #asking = new Set<Promise<unknown>>();
  /** How often the rates were replaced. */
  #replacements = 0;
  #timerDue = Number.POSITIVE_INFINITY;
  #cancelTimer: (() => void) | undefined;

  /** @param onEmpty Called when nobody waits any more. */
  constructor(bucket: AbstractBucket<"async">, settings: Omit<LineSettings, "onEmpty">, onEmpty: () => void) {
    this.#bucket = bucket;
    this.#settings = settings;
    this.#onEmpty = onEmpty;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#held.size;
  }

  /** Books units for a waiter, or turns it away at once. */
  join(key: string, waiter: Waiter): void {
    if ((this.#waiting.get(key) ?? 0) >= this.#settings.maxQueue && this.#waiting.has(key)) {
      waiter.reject(queueFull(key, this.#settings.maxQueue));
      return;
    }
    const held = new Booked(key, waiter);
    this.#held.add(held);
    if (held.due !== Number.POSITIVE_INFINITY) this.#due.push(held);
    waiter.listen(() => this.#turnAway(held, waiter.signal?.reason));
    this.#book(held);
    this.#setTimer();
  }

  #book(held: Booked): void {
    const { key, waiter } = held;
    const left = waiter.deadline - this.#elapsed() - this.#settings.buffer;
    const replacements = this.#replacements;
    const asked = this.#bucket.reserve({ key, weight: waiter.weight }, Math.max(0, left));
    this.#track(
      asked.then(
        (booking) => {
          if (replacements === this.#replacements || waiter.gone) return this.#answered(held, booking);
          // It may have been booked under rates that are gone since: another time may be right now.
          if (booking.decision.allowed) this.#track(this.#takeBack(held, booking));
          return this.#book(held);
        },
        (error: unknown) => this.#turnAway(held, error),
      ),
    );
  }

  /** Takes units of a booking back and lets its waiter wait for another. */
  #unbook(held: Booked, weight: number): void {
    const { key, waiter, booking } = held;
    if (booking === undefined) return;
    this.#countDown(key);
    held.booking = undefined;
    this.#due.remove(held);
    held.due = waiter.deadline;
    if (held.due !== Number.POSITIVE_INFINITY) this.#due.push(held);
    if (weight > 0) this.#track(this.#bucket.cancel({ key, weight }, booking.at).catch(() => {}));
  }

  /** Whoever has booked keeps its time. */
  refresh(): void {}

  /**
   * Books anew for all, in their order: the rates were replaced.
   *
   * @param share The share of the units that surely still counts: no more is taken back.
   */
  rejudge(share: number): void {
    this.#replacements++;
    const all = [...this.#held].filter(({ booking }) => booking !== undefined);
    // Parts of units add up, so that no more of them stay behind than one.
    const sums = new Map<string, number>();
    for (const held of all) {
      const { key, waiter } = held;
      const before = sums.get(key) ?? 0;
      sums.set(key, before + waiter.weight);
      this.#unbook(held, Math.floor((before + waiter.weight) * share) - Math.floor(before * share));
    }
    for (const held of all) this.#book(held);
    this.#setTimer();
  }

  /** Turns everybody away; the promises are fulfilled when the store has taken back what was booked. */
  close(error: unknown): Promise<unknown>[] {
    for (const held of [...this.#held]) this.#turnAway(held, error);
    return [...this.#asking];
  }

  #answered(held: Booked, booking: Booking): void | Promise<unknown> {
    const { key, waiter } = held;
    if (waiter.gone) return booking.decision.allowed ? this.#takeBack(held, booking) : undefined;
    const { decision } = booking;
    if (!decision.allowed) {
      const denial = { limiter: this.#settings.name, key, weight: waiter.weight, decision };
      this.#turnAway(held, new RateLimitExceededError(denial, waiter.timeout));
      return undefined;
    }
    if (decision.retryAfter === 0) {
      this.#admit(held, decision);
      return undefined;
    }
    held.booking = booking;
    const waiting = (this.#waiting.get(key) ?? 0) + 1;
    this.#waiting.set(key, waiting);
    if (waiting > this.#settings.maxQueue) {
      this.#turnAway(held, queueFull(key, this.#settings.maxQueue));
      return undefined;
    }
    this.#due.remove(held);
    const wait = decision.retryAfter + this.#settings.buffer;
    held.due = toMilliseconds(ceilMicroseconds(this.#elapsed() + wait));
    this.#due.push(held);
    this.#setTimer();
    return undefined;
  }

  #admit(held: Booked, decision: Decision): void {
    this.#remove(held);
    const resetAfter = Math.max(0, decision.resetAfter - decision.retryAfter);
    held.waiter.resolve({ ...decision, retryAfter: 0, resetAfter });
  }

  #turnAway(held: Booked, reason: unknown): void {
    const { waiter, booking } = held;
    if (waiter.gone) return;
    this.#remove(held);
    if (booking !== undefined) this.#track(this.#takeBack(held, booking));
    waiter.reject(reason);
  }

  /** Gives back what was booked. Should the store fail now, the units come back with time. */
  #takeBack({ key, waiter }: Booked, { at }: Booking): Promise<unknown> {
    return this.#bucket.cancel({ key, weight: waiter.weight }, at).catch(() => {});
  }

  #remove(held: Booked): void {
    const { key, waiter, booking } = held;
    this.#held.delete(held);
    this.#due.remove(held);
    waiter.leave();
    if (booking !== undefined) this.#countDown(key);
    this.#setTimer();
    this.#endIfEmpty();
  }

  /** One fewer waits for its time. */
  #countDown(key: string): void {
    const waiting = (this.#waiting.get(key) as number) - 1;
    if (waiting === 0) this.#waiting.delete(key);
    else this.#waiting.set(key, waiting);
  }

  #track(asked: Promise<unknown>): void {
    const done = () => {
      this.#asking.delete(settled);
      this.#endIfEmpty();
    };
    const settled = asked.then(done, done);
    this.#asking.add(settled);
  }

  #endIfEmpty(): void {
    if (this.#held.size === 0 && this.#asking.size === 0) this.#onEmpty();
  }

  #wake(): void {
    this.#cancelTimer = undefined;
    this.#timerDue = Number.POSITIVE_INFINITY;
    const now = this.#elapsed();
    for (let held = this.#due.peek(); held !== undefined && held.due <= now; held = this.#due.peek()) {
      if (held.booking !== undefined) this.#admit(held, held.booking.decision);
      else this.#expire(held);
    }
    this.#setTimer();
  }

  #expire(held: Booked): void {
    const rule = `the store did not answer within the timeout of ${held.waiter.timeout} ms. Allow more time.`;
    this.#turnAway(held, new LimiterError("TIMEOUT", `Cannot wait for ${describe(held.key)}: ${rule}`));
  }

  /** One timer for the next thing that happens by itself. */
  #setTimer(): void {
    const due = this.#due.peek()?.due ?? Number.POSITIVE_INFINITY;
    if (due === this.#timerDue) return;
    this.#cancelTimer?.();
    this.#timerDue = due;
    this.#cancelTimer = undefined;
    if (due === Number.POSITIVE_INFINITY) return;
    this.#cancelTimer = this.#bucket.clock.schedule(due - this.#elapsed(), () => this.#wake());
  }

  #elapsed(): number {
    return this.#bucket.clock.elapsed();
  }
}
