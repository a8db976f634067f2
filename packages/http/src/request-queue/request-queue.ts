/**
 * A bounded queue in front of work that only so many may do at a time.
 *
 * @module
 */
import { type AbstractClock, LimiterError, type Mode, toMicroseconds, toMilliseconds } from "@sluice/core";
import { adviseOn, type QueueAdvice } from "./advice.js";
import { DrainRate } from "./drain-rate.js";
import { Line } from "./line.js";
import { Counts, type QueueMetrics } from "./metrics.js";
import {
  type AcquireSlotOptions,
  type CloseQueueOptions,
  checkPriority,
  checkQueueOptions,
  checkSignal,
  type QueueOrder,
  type RequestQueueOptions,
} from "./options.js";
import { QueueFullError } from "./queue-full-error.js";
import { Slot } from "./slot.js";
import { Waiter } from "./waiter.js";

/**
 * Lets `maxConcurrent` work at a time and `maxDepth` wait for at most `maxWait`; all others
 * are refused at once, so that a server under more load than it can carry stays quick for
 * those whom it serves.
 *
 * Who waits is served by priority, and among equals in the order in which they came
 * (`order: "fifo"`) or the newest first (`"newest-first"`). When the queue is full, whoever
 * would be served last is refused, be it the newcomer or one who waits: with `"fifo"` the
 * newcomer, unless its priority is above that of the last, and with `"newest-first"` the
 * oldest of the lowest priority. Under overload the newest first is the better order: whoever
 * has waited long has most likely given up, and work for them is lost, while a fresh
 * request can still be answered in time. For the same reason it is the oldest whose place
 * is taken; to refuse the newcomer instead would keep the queue full of those who are
 * served last or never. (Facebook's adaptive LIFO, "Fail at Scale", ACM Queue 13(8), 2015.)
 *
 * A priority does not grow with time: those of a low one may wait until their `maxWait` is
 * over while higher ones keep coming.
 *
 * However many wait, there is one timer, and none when nobody does.
 *
 * @example
 * ```ts
 * import { RequestQueue } from "@sluice/http";
 *
 * const queue = new RequestQueue({ maxConcurrent: 1, maxDepth: 1, maxWait: 5000 });
 * const first = await queue.acquire();
 * const second = queue.acquire();
 * queue.depth; // => 1
 * const refusal = await queue.acquire().catch((error) => error);
 * refusal.code; // => "QUEUE_FULL"
 * refusal.retryAfter; // => 1000
 * first.release();
 * (await second).release();
 * queue.active; // => 0
 * ```
 */
export class RequestQueue {
  /** How many may be at work at a time. */
  readonly maxConcurrent: number;
  /** How many may wait at a time; 0 is any number. */
  readonly maxDepth: number;
  /** Milliseconds that anyone waits at most. */
  readonly maxWait: number;
  /** Who is served next among equal priorities. */
  readonly order: QueueOrder;
  readonly #room: number;
  readonly #clock: AbstractClock<Mode>;
  readonly #line: Line;
  readonly #drain = new DrainRate();
  readonly #giveBack = () => this.#handOn();
  #counts = new Counts();
  #active = 0;
  #cancelTimer: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  #idle = () => {};

  /** @throws TypeError or RangeError for options that cannot be. */
  constructor(options: RequestQueueOptions) {
    const { maxConcurrent, maxDepth, maxWait, order, clock, warn } = checkQueueOptions(options);
    this.maxConcurrent = maxConcurrent;
    this.maxDepth = maxDepth;
    this.maxWait = maxWait;
    this.order = order;
    this.#room = maxDepth === 0 ? Number.POSITIVE_INFINITY : maxDepth;
    this.#clock = clock;
    this.#line = new Line(order);
    if (maxDepth === 0) {
      warn(
        "RequestQueue: maxDepth is 0, so any number of requests may wait, and under overload the memory and the waits grow without bound. Set maxDepth to peak requests per second x seconds that a wait is acceptable.",
      );
    }
  }

  /** How many wait. */
  get depth(): number {
    return this.#line.size;
  }

  /** How many are at work. */
  get active(): number {
    return this.#active;
  }

  /** Whether {@link close} was called. */
  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** What was counted so far. */
  get metrics(): QueueMetrics {
    return this.#counts.read();
  }

  /**
   * Milliseconds until a newcomer would be served: 0 while a slot is free, else
   * `(depth + 1) / drain rate`, no less than 1 ms and no more than a minute.
   *
   * The drain rate is how many slots came free in how much time while somebody waited for
   * them, both forgotten exponentially over 10 s of waiting. While nothing is known it is
   * a second.
   */
  get retryAfter(): number {
    if (this.#active < this.maxConcurrent) return 0;
    return this.#drain.timeFor(this.#line.size + 1, this.#clock.elapsed());
  }

  /** Takes a slot if one is free, else gives `undefined`, which counts nowhere; never waits. */
  tryAcquire(): Slot | undefined {
    if (this.#active >= this.maxConcurrent || this.#closing !== undefined) return undefined;
    return this.#take();
  }

  /**
   * Takes a slot, after a wait where none is free.
   *
   * Rejects with {@link QueueFullError} at once when the queue is full, and when `maxWait`
   * is over; with the signal's reason when that is raised first, in O(1); with
   * `LimiterError` `CLOSED` after {@link close}.
   */
  acquire(options?: AcquireSlotOptions): Promise<Slot> {
    const signal = options?.signal;
    let priority = 0;
    try {
      if (options?.priority !== undefined) priority = checkPriority(options.priority);
      if (signal !== undefined) checkSignal(signal);
    } catch (error) {
      return Promise.reject(error);
    }
    if (signal?.aborted) {
      this.#counts.aborted++;
      return Promise.reject(signal.reason);
    }
    if (this.#active < this.maxConcurrent && this.#closing === undefined) return Promise.resolve(this.#take());
    return new Promise((resolve, reject) => this.#join(priority, signal, resolve, reject));
  }

  /**
   * What the metrics say of the queue's size: over 5 % refused, `"scale-up"`; more than 10 %
   * found it full or nine tenths full, `"add-replicas"`; over 1 % refused, `"watch"`; nobody
   * refused, nobody queued, and never more than half of the slots in use, `"may-be-smaller"`;
   * else `"right-sized"`. Fewer than 100 requests are `"not-enough-data"`, as are fewer
   * than 1,000 for what turns on less than 1 %.
   */
  advice(): QueueAdvice {
    return adviseOn(this.metrics, this.maxConcurrent);
  }

  /** Counts anew from here: for metrics, and advice, of the last hour. */
  resetMetrics(): void {
    this.#counts = new Counts();
    this.#counts.peakActive = this.#active;
    this.#counts.peakDepth = this.#line.size;
  }

  /**
   * Refuses all who come from now on, and resolves when the last slot was given back.
   *
   * Those who wait are still served, or turned away with `{ waiting: "reject" }`, which may
   * be called for later, when the drain takes too long.
   */
  close({ waiting = "finish" }: CloseQueueOptions = {}): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.#idle = resolve;
    });
    if (waiting === "reject") {
      for (let waiter = this.#line.first; waiter !== undefined; waiter = this.#line.first) {
        this.#counts.closed++;
        this.#turnAway(waiter, closedError("Cannot wait for a slot any longer"));
      }
    }
    if (this.#active === 0) this.#idle();
    return this.#closing;
  }

  /** Closes the queue at the end of an `await using` block; those who wait are served. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #take(): Slot {
    const active = ++this.#active;
    const counts = this.#counts;
    counts.admitted++;
    if (active > counts.peakActive) counts.peakActive = active;
    return new Slot(this.#giveBack, 0);
  }

  #join(
    priority: number,
    signal: AcquireSlotOptions["signal"],
    resolve: (slot: Slot) => void,
    reject: (reason: unknown) => void,
  ): void {
    const counts = this.#counts;
    if (this.#closing !== undefined) {
      counts.closed++;
      reject(closedError("Cannot wait for a slot"));
      return;
    }
    const now = this.#clock.elapsed();
    this.#expire(now);
    if (this.#line.size >= 0.9 * this.#room) counts.crowded++;
    if (this.maxWait === 0) {
      counts.timeout++;
      reject(this.#refusal("TIMEOUT", now));
      return;
    }
    if (this.#line.size >= this.#room) {
      counts.full++;
      const refusal = this.#refusal("QUEUE_FULL", now);
      if (this.#line.wouldBeLast(priority)) {
        reject(refusal);
        return;
      }
      this.#turnAway(this.#line.last as Waiter, refusal);
    }
    // In whole microseconds, so that the instant of the timer is not missed by a rounding.
    const deadline = toMilliseconds(toMicroseconds(now + this.maxWait));
    const waiter = new Waiter(priority, now, deadline, signal, resolve, reject);
    this.#line.join(waiter);
    counts.join(this.#line.size);
    this.#drain.start(now);
    waiter.listen((leaver) => {
      this.#counts.aborted++;
      this.#turnAway(leaver, leaver.signal?.reason);
    });
    this.#setTimer(now);
  }

  /** Gives a slot that came free to the next who waits. */
  #handOn(): void {
    if (this.#line.size > 0) {
      const now = this.#clock.elapsed();
      this.#drain.drained(now);
      this.#expire(now);
      const waiter = this.#line.first;
      if (waiter !== undefined) {
        this.#remove(waiter);
        const waited = Math.max(0, now - waiter.since);
        this.#counts.serve(waited);
        waiter.resolve(new Slot(this.#giveBack, waited));
        return;
      }
    }
    this.#active--;
    if (this.#active === 0) this.#idle();
  }

  /** Turns away whoever has waited for too long. */
  #expire(now: number): void {
    for (let late = this.#line.hastiest; late !== undefined && late.deadline <= now; late = this.#line.hastiest) {
      this.#counts.timeout++;
      this.#turnAway(late, this.#refusal("TIMEOUT", now));
    }
  }

  #turnAway(waiter: Waiter, reason: unknown): void {
    this.#remove(waiter);
    waiter.reject(reason);
  }

  #remove(waiter: Waiter): void {
    this.#line.leave(waiter);
    waiter.leave();
    if (this.#line.size > 0) return;
    this.#drain.stop(this.#clock.elapsed());
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  /** One timer, for the first deadline there was when it was set: all wait equally long, so none comes before it. */
  #setTimer(now: number): void {
    const due = this.#line.hastiest?.deadline ?? Number.POSITIVE_INFINITY;
    if (this.#cancelTimer !== undefined || due === Number.POSITIVE_INFINITY) return;
    this.#cancelTimer = this.#clock.schedule(due - now, () => {
      this.#cancelTimer = undefined;
      const woken = this.#clock.elapsed();
      this.#expire(woken);
      this.#setTimer(woken);
    });
  }

  #refusal(code: "QUEUE_FULL" | "TIMEOUT", now: number): QueueFullError {
    const depth = this.#line.size;
    const { maxDepth, maxWait } = this;
    return new QueueFullError(code, { retryAfter: this.#drain.timeFor(depth + 1, now), depth, maxDepth, maxWait });
  }
}

function closedError(what: string): LimiterError {
  return new LimiterError("CLOSED", `${what}: the queue is closed. Send the request to another server.`);
}
