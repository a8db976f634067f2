/**
 * The gate: a rate limiter and a queue in front of a server.
 *
 * @module
 */
import { type AbortSignalLike, LimiterError, type Mode } from "@sluice/core";
import type { Field } from "../answer/answer.js";
import { type BodyWriter, compileBody } from "../answer/body.js";
import { overloaded } from "../answer/refuse.js";
import type { HttpRequest } from "../http-request.js";
import { atOnce } from "../rate-limiter/drive.js";
import type { RateLimiter } from "../rate-limiter/rate-limiter.js";
import type { Verdict } from "../rate-limiter/verdict.js";
import type { CloseQueueOptions } from "../request-queue/options.js";
import { QueueFullError } from "../request-queue/queue-full-error.js";
import type { RequestQueue } from "../request-queue/request-queue.js";
import type { Slot } from "../request-queue/slot.js";
import { type Counts, type GateMetrics, readMetrics } from "./metrics.js";
import { checkGateOptions, checkPriorityFunction, type GateOptions, queueOf, rateLimiterOf } from "./options.js";
import { INSIDE_ALREADY, Inside, type Passage, type TurnedAway } from "./passage.js";

/** A request on its way in. */
interface Visit<R> {
  readonly request: R;
  readonly signal: AbortSignalLike | undefined;
  readonly exchange: object | undefined;
}

/** When to try again where the gate is closed: by then another server may have taken over. */
const CLOSED_RETRY = 1000;

/**
 * Protects a server in two ways: limits a client (429), and bounds how many requests are
 * at work and how many wait (503). Either is off unless asked for.
 *
 * The limits come first, so that one greedy client cannot fill the queue. A request that
 * the queue then refuses, or whose client hangs up in it, stays counted: it did ask, and
 * if a 503 were free, a client that retries without pause would be bounded by nothing
 * just when the server is overloaded. The `RateLimit` fields of a 503 are true for the
 * same reason.
 *
 * @example
 * ```ts
 * import { Gate } from "@sluice/http";
 *
 * const gate = new Gate({
 *   rateLimit: { enabled: true, requestsPerSecond: 1, burst: 2 },
 *   queue: { enabled: true, maxConcurrent: 64, maxDepth: 1000, maxWait: 5000 },
 * });
 * const request = { headers: {}, socket: { remoteAddress: "203.0.113.7" } };
 * for (const expected of [true, true, false]) {
 *   const passage = await gate.enter(request);
 *   passage.allowed === expected; // => true
 *   if (passage.allowed) passage.leave();
 * }
 * gate.metrics.limited; // => 1
 * await gate.close();
 * ```
 */
export class Gate<R extends HttpRequest = HttpRequest> {
  /** The limits a client, where they are on. */
  readonly rateLimit: RateLimiter<Mode, R> | undefined;
  /** The bound on all of them, where it is on. */
  readonly queue: RequestQueue | undefined;
  readonly #priority: ((request: R) => number) | undefined;
  readonly #writeBody: BodyWriter;
  readonly #counts: Counts = { active: 0, admitted: 0, limited: 0, overloaded: 0, abandoned: 0 };
  /** The exchanges of those inside: who waited for a slot while it holds one might wait for itself. */
  readonly #exchanges = new WeakSet<object>();
  /** Requests about which the rate limiter still thinks. */
  #pending = 0;
  #closing: Promise<void> | undefined;
  #isIdle = () => {};
  readonly #onLeave = (exchange: object | undefined) => {
    this.#counts.active--;
    if (exchange !== undefined) this.#exchanges.delete(exchange);
    this.#checkIdle();
  };

  /** @throws TypeError or RangeError for options that cannot be. */
  constructor(options: GateOptions<R> = {}) {
    checkGateOptions(options);
    this.rateLimit = rateLimiterOf(options);
    this.queue = queueOf(options);
    this.#priority = checkPriorityFunction(options.priority);
    this.#writeBody = compileBody(options.body);
  }

  /**
   * Lets a request in, or turns it away.
   *
   * At once where nothing has to wait; a promise where a store is asked or the queue has
   * no free slot.
   *
   * @param signal Raised when the client hangs up.
   * @param exchange What is the same wherever the request may come by this gate, and another
   *   for each request, such as its response. A request that is inside, and comes by once
   *   more, goes straight on: it is counted once, and holds one slot. Without it, each call
   *   is a request.
   * @returns Whoever is let in must `leave()`, once the answer is sent or the client is gone.
   * @throws (or rejects with) the signal's reason when it was raised first, the error of a
   *   store, and what a function of yours throws; then there is nothing to leave.
   */
  enter(request: R, signal?: AbortSignalLike, exchange?: object): Passage | Promise<Passage> {
    if (exchange !== undefined && this.#exchanges.has(exchange)) return INSIDE_ALREADY;
    if (this.#closing !== undefined) return this.#turnAway(CLOSED_RETRY);
    const { rateLimit } = this;
    const visit = { request, signal, exchange };
    if (rateLimit === undefined) return this.#takeSlot(visit, []);
    if (rateLimit.mode === "async") return this.#enterLater(visit, rateLimit);
    return this.#conclude(visit, atOnce(rateLimit.check(request)));
  }

  /** What was done so far. */
  get metrics(): GateMetrics {
    return readMetrics(this.#counts, this.rateLimit, this.queue);
  }

  /** Whether {@link close} was called. */
  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /**
   * Turns away all who come from now on, and resolves when the last of those inside has
   * left. The queue and the rate limiter are closed, those included that were passed in.
   *
   * Those who wait are still served, or turned away with `{ waiting: "reject" }`, which may
   * be called for later, when the drain takes too long.
   */
  close(options?: CloseQueueOptions): Promise<void> {
    // Called each time, for those who wait may be turned away later.
    const drained = this.queue?.close(options);
    this.#closing ??= this.#drain(drained);
    return this.#closing;
  }

  /** Closes the gate at the end of an `await using` block; those who wait are served. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #enterLater(visit: Visit<R>, rateLimit: RateLimiter<Mode, R>): Promise<Passage> {
    this.#pending++;
    try {
      return await this.#conclude(visit, await rateLimit.check(visit.request));
    } finally {
      this.#pending--;
      this.#checkIdle();
    }
  }

  #conclude(visit: Visit<R>, verdict: Verdict): Passage | Promise<Passage> {
    if (verdict.allowed) return this.#takeSlot(visit, verdict.fields);
    if (verdict.status === 429) this.#counts.limited++;
    else this.#counts.overloaded++;
    return verdict;
  }

  #takeSlot(visit: Visit<R>, fields: readonly Field[]): Passage | Promise<Passage> {
    const { queue } = this;
    const { signal } = visit;
    if (signal?.aborted) {
      this.#counts.abandoned++;
      throw signal.reason;
    }
    if (queue === undefined) {
      return this.#closing === undefined ? this.#letIn(visit, fields) : this.#turnAway(CLOSED_RETRY, fields);
    }
    const slot = queue.tryAcquire();
    return slot === undefined ? this.#wait(queue, visit, fields) : this.#letIn(visit, fields, slot);
  }

  async #wait(queue: RequestQueue, visit: Visit<R>, fields: readonly Field[]): Promise<Passage> {
    const { request, signal } = visit;
    let slot: Slot;
    try {
      slot = await queue.acquire({ signal, priority: this.#priority?.(request) });
    } catch (error) {
      if (error instanceof QueueFullError) return this.#turnAway(error.retryAfter, fields);
      if (error instanceof LimiterError && error.code === "CLOSED") return this.#turnAway(CLOSED_RETRY, fields);
      if (signal?.aborted) this.#counts.abandoned++;
      throw error;
    }
    return this.#letIn(visit, fields, slot);
  }

  #letIn({ exchange }: Visit<R>, fields: readonly Field[], slot?: Slot): Passage {
    this.#counts.active++;
    this.#counts.admitted++;
    if (exchange !== undefined) this.#exchanges.add(exchange);
    return new Inside(fields, slot, exchange, this.#onLeave);
  }

  #turnAway(retryAfter: number, told?: readonly Field[]): TurnedAway {
    this.#counts.overloaded++;
    return { allowed: false, ...overloaded(retryAfter, this.#writeBody, told) };
  }

  async #drain(queueDrained: Promise<void> | undefined): Promise<void> {
    await queueDrained;
    await new Promise<void>((resolve) => {
      this.#isIdle = resolve;
      this.#checkIdle();
    });
    await this.rateLimit?.close();
  }

  #checkIdle(): void {
    if (this.#counts.active === 0 && this.#pending === 0) this.#isIdle();
  }
}
