/**
 * Those who wait for units of a shared store, each with units booked for it.
 *
 * The store is asked once for each: it says when the units will be there, and keeps the
 * order among all processes. However many wait, there is one timer.
 *
 * What is booked forms a row of slots for each key. When somebody leaves, those behind in
 * this process move up by a slot and the last slot goes back, so that nobody loses its
 * place to another process. Where a slot is too small or too large for who would move into
 * it, that one and all behind it book anew.
 *
 * Where a closed fallback refuses because the store is away, all keep their places. Only the
 * first of a key asks again, when it was told to; once the store is back, all book anew.
 *
 * @module
 */
import type { AbstractBucket, Booking } from "../abstract-bucket.js";
import type { Decision } from "../decision.js";
import { ceilMicroseconds, toMilliseconds } from "../duration.js";
import { LimiterError, RateLimitExceededError } from "../errors.js";
import { Heap } from "../heap.js";
import type { RateItem } from "../item.js";
import { describe } from "../rate.js";
import { Booked, BookedLine, Era, type Question, type Slot } from "./booked.js";
import { type LineSettings, queueFull } from "./line.js";
import type { Waiter } from "./waiter.js";

/** The waiters of one bucket that books ahead. */
export class Bookings {
  readonly #settings: Omit<LineSettings, "onEmpty">;
  readonly #bucket: AbstractBucket<"async">;
  readonly #onEmpty: () => void;
  readonly #held = new Set<Booked>();
  readonly #due = new Heap<Booked | BookedLine>((a, b) => a.due < b.due || (a.due === b.due && a.order < b.order));
  /** One for each key that somebody waits for, or that the store is asked about. */
  readonly #lines = new Map<string, BookedLine>();
  /** What the store is being asked: bookings, and to take some back. */
  readonly #asking = new Set<Promise<unknown>>();
  #era = new Era();
  /** How many waiters and slots there have been. */
  #order = 0;
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
    const line = this.#lines.get(key) ?? new BookedLine(key);
    if (line.waiting > 0 && line.waiting >= this.#settings.maxQueue) {
      waiter.reject(queueFull(key, this.#settings.maxQueue));
      return;
    }
    this.#lines.set(key, line);
    const held = new Booked(line, waiter, ++this.#order);
    this.#held.add(held);
    line.waiters.add(held);
    this.#await(held, waiter.deadline, false);
    waiter.listen(() => this.#turnAway(held, waiter.signal?.reason));
    if (line.refusal !== undefined) this.#postpone(held, line.refusal);
    // While slots are settled anew, whoever comes is behind those who have some.
    else if (!line.stale) this.#book(held);
    this.#setTimer();
  }

  /** Whoever has booked keeps its time. */
  refresh(): void {}

  /**
   * Books anew for all, in their order: the rates were replaced.
   *
   * @param share The share of the units that surely still counts: no more is taken back.
   */
  rejudge(share: number): void {
    const next = new Era();
    this.#era.share = share;
    this.#era.next = next;
    this.#era = next;
    for (const held of this.#held) this.#await(held, held.waiter.deadline, false);
    for (const line of [...this.#lines.values()]) {
      line.stale = true;
      void this.#arrange(line);
    }
    this.#setTimer();
  }

  /** Turns everybody away; the promises are fulfilled when the store has taken back what was booked. */
  close(error: unknown): Promise<unknown>[] {
    for (const held of [...this.#held]) this.#turnAway(held, error);
    return [...this.#asking];
  }

  #book(held: Booked): void {
    const { line, waiter } = held;
    const { weight } = waiter;
    const era = this.#era;
    const order = ++this.#order;
    const question = line.ask(held);
    const left = waiter.deadline - this.#elapsed() - this.#settings.buffer;
    const asked = this.#bucket.reserve({ key: line.key, weight }, Math.max(0, left));
    this.#track(
      asked.then(
        (booking) => {
          const { allowed, retryAfter } = booking.decision;
          const slot = allowed ? { order, weight, booking, era, due: this.#dueIn(retryAfter) } : undefined;
          if (!waiter.gone) held.slot = slot;
          else if (slot !== undefined) this.#vacate(line, slot);
          else line.pauseFor(booking.decision, this.#dueIn(retryAfter), waiter.deadline);
          question.booking = booking;
          return this.#answered(question, line);
        },
        (error: unknown) => {
          this.#turnAway(held, error);
          return this.#answered(question, line);
        },
      ),
    );
  }

  /** The instant at which units may be used that will be there in so many milliseconds. */
  #dueIn(retryAfter: number): number {
    const wait = retryAfter === 0 ? 0 : retryAfter + this.#settings.buffer;
    return toMilliseconds(ceilMicroseconds(this.#elapsed() + wait));
  }

  #answered(question: Question, line: BookedLine): Promise<unknown> | undefined {
    line.asking--;
    question.done = true;
    this.#hear(line);
    return this.#arrange(line);
  }

  /** Goes by the answers in the order of the questions, so that a slow one lets nobody overtake. */
  #hear(line: BookedLine): void {
    for (let question = line.hear(); question !== undefined; question = line.hear()) {
      const { held, booking } = question;
      if (booking !== undefined) this.#judge(held, booking);
    }
    this.#setTimer();
  }

  #judge(held: Booked, { decision }: Booking): void {
    const { line, slot } = held;
    if (line.pauseFor(decision, this.#dueIn(decision.retryAfter), held.waiter.deadline)) {
      this.#postpone(held, decision);
      return;
    }
    // Answered under rates that are gone since, or while somebody ahead got no answer: it is settled with the others.
    if (line.stale && (line.refusal !== undefined || slot?.era !== this.#era)) return;
    if (line.refusal !== undefined && !decision.degraded) line.resume();
    if (slot === undefined) {
      this.#refuse(held, decision);
      return;
    }
    const late = line.lastDue > slot.due;
    if (late) slot.due = line.lastDue;
    if (slot.due <= this.#elapsed()) this.#admit(held, decision);
    else if (late && slot.due > held.waiter.deadline)
      this.#refuse(held, { ...decision, allowed: false, retryAfter: slot.due - this.#elapsed() });
    else if (!this.#turnsAwayFull(held)) {
      line.lastDue = slot.due;
      this.#await(held, slot.due, true);
    }
  }

  /** Lets a waiter keep its place until the store may be asked again, or turns it away where it has not the time. */
  #postpone(held: Booked, refusal: Decision): void {
    const { line, waiter } = held;
    if (line.due > waiter.deadline) this.#refuse(held, { ...refusal, retryAfter: line.due - this.#elapsed() });
    else if (!this.#turnsAwayFull(held)) this.#await(held, waiter.deadline, true);
  }

  /** Turns away who would have to wait where there is no room, and says whether that is so. */
  #turnsAwayFull(held: Booked): boolean {
    const { maxQueue } = this.#settings;
    if (held.waits || held.line.waiting < maxQueue) return false;
    this.#turnAway(held, queueFull(held.line.key, maxQueue));
    return true;
  }

  /** Notes that somebody has left a slot to those behind it. */
  #vacate(line: BookedLine, slot: Slot): void {
    line.vacated.push(slot);
    if (line.vacated.length > 1) return;
    line.stale = true;
    // Many may leave at one moment.
    this.#track(Promise.resolve().then(() => this.#arrange(line)));
  }

  /**
   * Settles anew who has which slot of a key, once the store has answered for all: gives back
   * what nobody uses, the latest first, and books what is missing, without pause between.
   */
  #arrange(line: BookedLine): Promise<unknown> | undefined {
    this.#due.remove(line);
    if (line.asking > 0) return undefined;
    if (!line.stale && line.refusal === undefined) {
      this.#forgetIfEmpty(line);
      return undefined;
    }
    line.stale = false;
    const waiters = [...line.waiters];
    const booked = waiters.map(({ slot }) => slot).filter((slot) => slot !== undefined);
    const slots = [...line.vacated.splice(0), ...booked].sort((a, b) => a.order - b.order);
    const kept = this.#moveUp(waiters, slots);
    line.lastDue = slots[kept - 1]?.due ?? Number.NEGATIVE_INFINITY;
    const rest = waiters.slice(kept);
    for (const held of rest) {
      held.slot = undefined;
      this.#await(held, held.waiter.deadline, false);
    }
    const cancelled = this.#giveBack(line.key, slots.slice(kept).reverse());
    this.#bookAll(line, rest);
    this.#passDue();
    this.#forgetIfEmpty(line);
    return cancelled;
  }

  /** Books for waiters in their order; where the store is away only for the first, to see whether it is back. */
  #bookAll(line: BookedLine, waiters: readonly Booked[]): void {
    const { refusal } = line;
    if (refusal === undefined) {
      for (const held of waiters) this.#book(held);
      return;
    }
    for (const held of waiters) this.#postpone(held, refusal);
    const first = waiters.find(({ waiter }) => !waiter.gone);
    if (first === undefined) line.refusal = undefined;
    else if (line.due > this.#elapsed()) this.#due.push(line);
    else this.#book(first);
  }

  /** Gives each waiter the first free slot, and says how many could have theirs. */
  #moveUp(waiters: readonly Booked[], slots: readonly Slot[]): number {
    let kept = 0;
    for (const held of waiters) {
      const slot = slots[kept];
      if (slot?.era !== this.#era || slot.weight !== held.waiter.weight) break;
      slot.due = Math.max(slot.due, slots[kept - 1]?.due ?? slot.due);
      held.slot = slot;
      this.#await(held, slot.due, true);
      kept++;
    }
    return kept;
  }

  /** Gives slots back, as far as they still count. Should the store fail now, the units come back with time. */
  #giveBack(key: string, slots: readonly Slot[]): Promise<unknown> {
    // Parts of units add up, so that no more of them stay behind than one for each era.
    const sums = new Map<Era, number>();
    const cancels = slots.map(({ weight, booking, era }) => {
      const before = sums.get(era) ?? 0;
      sums.set(era, before + weight);
      const counts = Math.floor((before + weight) * era.kept) - Math.floor(before * era.kept);
      return counts === 0 ? undefined : this.#takeBack({ key, weight: counts }, booking, era).catch(() => {});
    });
    const cancelled = Promise.all(cancels);
    this.#track(cancelled);
    return cancelled;
  }

  #takeBack(item: RateItem, booking: Booking, era: Era): Promise<unknown> {
    // When the rates are replaced, all are given back at once, and where more than 63 are open, a cell does not tell
    // them apart to the last. None of them is due yet, so that all of their units count.
    const isReplaced = era !== this.#era && booking.number > 0;
    // What was booked in another bucket, since this one was away, only a cancel finds.
    if (isReplaced && !booking.decision.degraded) return this.#bucket.refund(item);
    return this.#bucket.cancel(item, booking);
  }

  /** Lets a waiter wait until `due`, and then pass or be told that the store did not answer. */
  #await(held: Booked, due: number, waits: boolean): void {
    if (waits !== held.waits) held.line.waiting += waits ? 1 : -1;
    held.waits = waits;
    this.#due.remove(held);
    held.due = due;
    if (due !== Number.POSITIVE_INFINITY) this.#due.push(held);
  }

  #admit(held: Booked, decision: Decision): void {
    this.#remove(held);
    const resetAfter = Math.max(0, decision.resetAfter - decision.retryAfter);
    held.waiter.resolve({ ...decision, retryAfter: 0, resetAfter });
  }

  #refuse(held: Booked, decision: Decision): void {
    const { line, waiter } = held;
    const denial = { limiter: this.#settings.name, key: line.key, weight: waiter.weight, decision };
    this.#turnAway(held, new RateLimitExceededError(denial, waiter.timeout));
  }

  #turnAway(held: Booked, reason: unknown): void {
    const { line, waiter, slot } = held;
    if (waiter.gone) return;
    if (slot !== undefined) this.#vacate(line, slot);
    this.#remove(held);
    waiter.reject(reason);
    this.#hear(line);
  }

  #remove(held: Booked): void {
    const { line, waiter } = held;
    this.#await(held, Number.POSITIVE_INFINITY, false);
    this.#held.delete(held);
    line.waiters.delete(held);
    waiter.leave();
    this.#forgetIfEmpty(line);
    this.#setTimer();
    this.#endIfEmpty();
  }

  #forgetIfEmpty(line: BookedLine): void {
    if (!line.empty) return;
    this.#due.remove(line);
    if (this.#lines.get(line.key) === line) this.#lines.delete(line.key);
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
    this.#passDue();
  }

  /** Lets through whose time has come, turns away whose deadline is over, and asks anew a store that was away. */
  #passDue(): void {
    const now = this.#elapsed();
    for (let next = this.#due.peek(); next !== undefined && next.due <= now; next = this.#due.peek()) {
      if (next instanceof BookedLine) void this.#arrange(next);
      else if (next.waits && next.slot !== undefined) this.#admit(next, next.slot.booking.decision);
      else this.#expire(next);
    }
    this.#setTimer();
  }

  #expire(held: Booked): void {
    const rule = `the store did not answer within the timeout of ${held.waiter.timeout} ms. Allow more time.`;
    this.#turnAway(held, new LimiterError("TIMEOUT", `Cannot wait for ${describe(held.line.key)}: ${rule}`));
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
