/**
 * The line of those who wait for units of one key.
 *
 * First come, first served. However many wait, there is one timer, for the first of them
 * or for the next deadline, and none once the last has gone.
 *
 * @module
 */
import type { AbstractBucket } from "../abstract-bucket.js";
import type { Decision } from "../decision.js";
import { ceilMicroseconds, toMilliseconds } from "../duration.js";
import { LimiterError, RateLimitExceededError } from "../errors.js";
import { answersAtOnce, type Mode, whenSettled } from "../mode.js";
import { describe } from "../rate.js";
import { Forecast } from "./forecast.js";
import type { Waiter } from "./waiter.js";
import { Waiters } from "./waiters.js";

/** The longest time in milliseconds that is added to a wait by chance. */
const MAX_JITTER = 50;

/** What all lines of one bucket share. */
export interface LineSettings {
  readonly bucket: AbstractBucket<Mode>;
  /** Name of the limiter, for the errors. */
  readonly name: string;
  /** Milliseconds added to each wait. */
  readonly buffer: number;
  /** How many may wait for one key. */
  readonly maxQueue: number;
  /** Called when nobody waits any more. */
  readonly onEmpty: (key: string) => void;
}

/** The waiters for one key of one bucket. */
export class Line {
  readonly #key: string;
  readonly #settings: LineSettings;
  readonly #waiters = new Waiters();
  /** Whether the store is being asked for the first waiter. */
  #asking = false;
  /** Whether the answer that is awaited may be out of date when it comes. */
  #outdated = false;
  /** Those who wait for the store to have answered. */
  readonly #whenIdle: (() => void)[] = [];
  /** When the first waiter may ask again; `undefined` when it may at once. */
  #retryAt: number | undefined;
  /** Who was refused last. */
  #lastRefused: Waiter | undefined;
  /** The newest refusal of a first waiter. */
  #refusal: Decision | undefined;
  #timerDue = Number.POSITIVE_INFINITY;
  #cancelTimer: (() => void) | undefined;
  #forecast: Forecast | undefined;

  constructor(key: string, settings: LineSettings) {
    this.#key = key;
    this.#settings = settings;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiters.size;
  }

  /** Lets a waiter join the end of the line, or turns it away at once. */
  join(waiter: Waiter): void {
    // While the store is being asked nobody knows yet who has to wait.
    if (this.#retryAt !== undefined && this.#waiters.size >= this.#settings.maxQueue) {
      waiter.reject(this.#full());
      return;
    }
    this.#waiters.append(waiter, (leaver) => this.#giveUp(leaver, leaver.signal?.reason));
    if (waiter === this.#waiters.first) this.#serve();
    else if (waiter.timeout !== Number.POSITIVE_INFINITY) this.#foresee(waiter);
    this.#setTimer();
  }

  /** Turns everybody away; gives back a promise where the store is still being asked for one of them. */
  close(error: unknown): Promise<void> | undefined {
    for (let waiter = this.#waiters.first; waiter !== undefined; waiter = this.#waiters.first)
      this.#turnAway(waiter, error);
    this.#setTimer();
    return this.#asking ? new Promise((resolve) => this.#whenIdle.push(resolve)) : undefined;
  }

  /** Asks again at once: units came back. */
  refresh(): void {
    this.#forgetForecast();
    this.#retryAt = undefined;
    // What the store is about to answer may be from before.
    if (this.#asking) this.#outdated = true;
    this.#serve();
    this.#setTimer();
  }

  /** Asks again at once, and turns away those to whom other rates leave no chance any more. */
  rejudge(): void {
    const { bucket } = this.#settings;
    for (let waiter = this.#waiters.first; waiter !== undefined; ) {
      const { next } = waiter;
      if (waiter.weight > bucket.capacity) this.#refuseForEver(waiter);
      waiter = next;
    }
    this.refresh();
    for (let waiter = this.#waiters.first?.next; waiter !== undefined; ) {
      const { next } = waiter;
      if (waiter.timeout !== Number.POSITIVE_INFINITY) this.#foresee(waiter);
      waiter = next;
    }
    this.#setTimer();
  }

  #refuseForEver(waiter: Waiter): void {
    const { bucket } = this.#settings;
    whenSettled(
      bucket.mode,
      () => bucket.peek({ key: this.#key, weight: waiter.weight }),
      (decision) => this.#exceed(waiter, decision),
      (error) => this.#turnAway(waiter, error),
    );
  }

  #remove(waiter: Waiter): void {
    const first = waiter === this.#waiters.first;
    this.#waiters.remove(waiter);
    // Whoever comes to the front may need less, and asks at once.
    if (first) this.#retryAt = undefined;
    this.#endIfEmpty();
  }

  #endIfEmpty(): void {
    if (this.#waiters.size > 0 || this.#asking) return;
    this.#settings.onEmpty(this.#key);
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** Asks the store for the first waiter, and then for the next, until one has to wait. */
  #serve(): void {
    const { bucket } = this.#settings;
    if (answersAtOnce(bucket)) {
      this.#serveAtOnce(bucket);
      return;
    }
    while (this.#waiters.first !== undefined && !this.#asking && this.#retryAt === undefined) {
      const waiter = this.#waiters.first;
      this.#asking = true;
      whenSettled(
        bucket.mode,
        () => bucket.put({ key: this.#key, weight: waiter.weight }),
        (decision) => this.#answered(() => this.#settle(waiter, decision)),
        (error) => this.#answered(() => this.#turnAway(waiter, error)),
      );
    }
  }

  /** The same with a bucket that answers at once: of that, waiting by thousands is made. */
  #serveAtOnce(bucket: AbstractBucket<"sync">): void {
    for (
      let waiter = this.#waiters.first;
      waiter !== undefined && this.#retryAt === undefined;
      waiter = this.#waiters.first
    ) {
      let decision: Decision;
      try {
        decision = bucket.put({ key: this.#key, weight: waiter.weight });
      } catch (error) {
        this.#turnAway(waiter, error);
        continue;
      }
      this.#settle(waiter, decision);
    }
  }

  #answered(then: () => void): void {
    this.#asking = false;
    then();
    this.#outdated = false;
    this.#serve();
    this.#setTimer();
    this.#endIfEmpty();
  }

  #settle(waiter: Waiter, decision: Decision): void {
    if (waiter.gone) {
      if (decision.allowed) this.#giveBack(waiter.weight);
    } else if (decision.allowed) {
      // Who was never counted in the forecast makes it too hopeful for those who come.
      if (!waiter.foreseen) this.#forgetForecast();
      this.#remove(waiter);
      waiter.resolve(decision);
    } else {
      this.#refused(waiter, decision);
    }
  }

  #refused(waiter: Waiter, decision: Decision): void {
    if (this.#outdated) return;
    this.#refusal = decision;
    // Where another process was faster, they must not all come at one instant again.
    const lost = this.#settings.bucket.mode === "async" && this.#lastRefused === waiter;
    const jitter = lost ? Math.random() * Math.min(decision.retryAfter / 10, MAX_JITTER) : 0;
    this.#lastRefused = waiter;
    const wait = decision.retryAfter + this.#settings.buffer + jitter;
    const retryAt = toMilliseconds(ceilMicroseconds(this.#elapsed() + wait));
    if (retryAt === Number.POSITIVE_INFINITY || retryAt > waiter.deadline) {
      this.#exceed(waiter, decision);
      return;
    }
    this.#retryAt = retryAt;
    const { maxQueue } = this.#settings;
    for (
      let last = this.#waiters.last;
      last !== undefined && this.#waiters.size > maxQueue;
      last = this.#waiters.last
    ) {
      this.#turnAway(last, this.#full());
    }
  }

  /** Gives back units that were taken for a waiter who left meanwhile, before the store is asked again. */
  #giveBack(weight: number): void {
    const { bucket } = this.#settings;
    this.#asking = true;
    this.#forgetForecast();
    // Should the store fail now, the units come back with time.
    const done = () => this.#answered(() => {});
    whenSettled(bucket.mode, () => bucket.refund({ key: this.#key, weight }), done, done);
  }

  /** The next forecast looks at the key anew: units came back, or a waiter left its place. */
  #forgetForecast(): void {
    if (this.#forecast === undefined) return;
    this.#forecast = undefined;
    for (let waiter = this.#waiters.first; waiter?.foreseen; waiter = waiter.next) waiter.foreseen = false;
  }

  /** Refuses a newcomer at once when those before it leave it no chance to meet its deadline. */
  #foresee(waiter: Waiter): void {
    if (this.#forecast !== undefined) {
      this.#check(waiter, this.#forecast);
      return;
    }
    const { bucket, buffer } = this.#settings;
    whenSettled(
      bucket.mode,
      () => bucket.read(this.#key),
      (snapshot) => {
        this.#forecast ??= new Forecast(bucket.kernel, snapshot, this.#elapsed(), buffer);
        this.#check(waiter, this.#forecast);
      },
      // The deadline itself still holds.
      () => {},
    );
  }

  #check(waiter: Waiter, forecast: Forecast): void {
    if (waiter.gone || waiter.foreseen) return;
    const now = this.#elapsed();
    let first = waiter;
    while (first.previous !== undefined && !first.previous.foreseen) first = first.previous;
    for (let ahead = first; ahead !== waiter; ahead = ahead.next as Waiter) this.#count(ahead, forecast, now);
    const refusal = forecast.refusal(waiter.weight, now);
    if (now + refusal.retryAfter > waiter.deadline) this.#exceed(waiter, refusal);
    else this.#count(waiter, forecast, now);
  }

  #count(waiter: Waiter, forecast: Forecast, now: number): void {
    forecast.add(waiter.weight, now);
    waiter.foreseen = true;
  }

  /** Serves whoever is due, turns away whoever is past its deadline. */
  #wake(): void {
    this.#cancelTimer = undefined;
    this.#timerDue = Number.POSITIVE_INFINITY;
    const now = this.#elapsed();
    if (this.#retryAt !== undefined && this.#retryAt <= now) this.#retryAt = undefined;
    this.#serve();
    for (let late = this.#waiters.late(now); late !== undefined; late = this.#waiters.late(now)) this.#expire(late);
    this.#serve();
    this.#setTimer();
  }

  #expire(waiter: Waiter): void {
    if (this.#refusal !== undefined) {
      this.#exceed(waiter, this.#refusal);
      return;
    }
    const rule = `the store did not answer within the timeout of ${waiter.timeout} ms. Allow more time.`;
    this.#turnAway(waiter, new LimiterError("TIMEOUT", `Cannot wait for ${describe(this.#key)}: ${rule}`));
  }

  #giveUp(waiter: Waiter, reason: unknown): void {
    this.#turnAway(waiter, reason);
    this.#serve();
    this.#setTimer();
  }

  #exceed(waiter: Waiter, decision: Decision): void {
    const { weight, timeout } = waiter;
    const denial = { limiter: this.#settings.name, key: this.#key, weight, decision };
    this.#turnAway(waiter, new RateLimitExceededError(denial, timeout));
  }

  #turnAway(waiter: Waiter, reason: unknown): void {
    if (waiter.gone) return;
    if (waiter.foreseen) this.#forgetForecast();
    this.#remove(waiter);
    waiter.reject(reason);
  }

  /** One timer for the next thing that happens by itself. */
  #setTimer(): void {
    const due = Math.min(this.#retryAt ?? Number.POSITIVE_INFINITY, this.#waiters.nextDeadline);
    if (due === this.#timerDue) return;
    this.#cancelTimer?.();
    this.#timerDue = due;
    this.#cancelTimer = undefined;
    if (due === Number.POSITIVE_INFINITY) return;
    this.#cancelTimer = this.#settings.bucket.clock.schedule(due - this.#elapsed(), () => this.#wake());
  }

  #full(): LimiterError {
    return queueFull(this.#key, this.#settings.maxQueue);
  }

  #elapsed(): number {
    return this.#settings.bucket.clock.elapsed();
  }
}

/** What a caller is told for whom there is no room in the line. */
export function queueFull(key: string, maxQueue: number): LimiterError {
  const rule = `${maxQueue} wait already, and maxQueue is ${maxQueue}. Retry later or raise maxQueue.`;
  return new LimiterError("QUEUE_FULL", `Cannot wait for ${describe(key)}: ${rule}`);
}
