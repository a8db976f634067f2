/**
 * A fetch that keeps to limits: its own, and those that servers tell of.
 *
 * @module
 */
import { sleep } from "@sluice/core";
import { FetchDeadlineError } from "./fetch-deadline-error.js";
import {
  checkLimiter,
  type PoliteFetchOptions,
  type PoliteSettings,
  politeSettings,
  type WaitingLimiter,
} from "./options.js";
import {
  canSendAgain,
  type FetchInput,
  isLasting,
  isRequest,
  isWrongCall,
  type OutgoingRequest,
  outgoingRequest,
  signalOf,
} from "./outgoing-request.js";
import { Pauses } from "./pauses.js";
import { type Received, sendInTime } from "./send-in-time.js";

/** An answer that may be kept or discarded, or why there is none. */
type Outcome = Received | { readonly response?: undefined; readonly error: unknown };

/**
 * Makes a fetch that waits on a limiter, does as servers ask, and repeats what may be repeated.
 *
 * - Each attempt waits for its units of `limiter`, under the key of its host. Without a
 *   limiter it only does as the servers ask.
 * - An error with Retry-After, and any answer whose RateLimit fields say that nothing
 *   remains, pauses all calls of that key until the server's time is over, never a moment
 *   less; but after a success no longer than one unit takes, where the fields tell the pace.
 *   That holds for the calls of one `politeFetch`.
 * - A network error (fetch rejects with TypeError, and not for a redirect nor a scheme other
 *   than http and https) and the statuses 408, 425, 429, 502, 503
 *   and 504 are followed by a repetition, `retries` times at most, after a wait drawn
 *   evenly from 0 up to `base * 2 ** attempt` ms (full jitter). Where the server asked for quiet, the draw comes on
 *   top, so that those who were told the same instant do not all come at it.
 * - Only idempotent methods are repeated, and others that carry an Idempotency-Key, or that
 *   `idempotent` allows; and only where the body can be sent again: any but a stream. The
 *   body of a Request is, by cloning it, which keeps what was sent of it in memory.
 * - The signal of the call, or else of its Request, ends every wait and attempt, and
 *   the call rejects with its reason.
 * - When a wait would end past the `deadline`, the last answer is given back at once, or the
 *   last error thrown. An attempt that has no answer by then is given up.
 *
 * The bodies of answers that are not given back are cancelled, so that their connections are freed.
 *
 * Rejects with what fetch does; with {@link FetchDeadlineError} when there is no answer within
 * the deadline; and with the limiter's own errors, of which `RateLimitExceededError` says
 * that the units would come past the deadline, or never.
 *
 * @example
 * ```ts no-run
 * import { politeFetch } from "@sluice/http";
 * import { createLimiter } from "sluice";
 *
 * const fetch = politeFetch(createLimiter("10/s"), { retries: 5, deadline: 30_000 });
 * const response = await fetch("https://api.example.com/users");
 * ```
 */
export function politeFetch(limiter?: WaitingLimiter, options: PoliteFetchOptions = {}): typeof fetch {
  checkLimiter(limiter);
  const settings = politeSettings(options);
  const pauses = new Pauses(settings.clock);
  return async (input, init) => new PoliteCall(limiter, settings, pauses, input, init).run();
}

/** One call, with all its attempts. */
class PoliteCall {
  readonly #limiter: WaitingLimiter | undefined;
  readonly #settings: PoliteSettings;
  readonly #pauses: Pauses;
  readonly #input: FetchInput;
  readonly #init: RequestInit | undefined;
  readonly #request: OutgoingRequest;
  readonly #key: string;
  readonly #signal: AbortSignal | undefined;
  /** How often it may be repeated. */
  readonly #retries: number;
  readonly #expires: number;

  constructor(
    limiter: WaitingLimiter | undefined,
    settings: PoliteSettings,
    pauses: Pauses,
    input: FetchInput,
    init: RequestInit | undefined,
  ) {
    this.#limiter = limiter;
    this.#settings = settings;
    this.#pauses = pauses;
    this.#input = input;
    this.#init = init;
    this.#signal = signalOf(input, init);
    this.#request = outgoingRequest(input, init);
    this.#key = settings.key(this.#request);
    this.#retries = canSendAgain(init) && settings.idempotent(this.#request) ? settings.retries : 0;
    this.#expires = settings.clock.elapsed() + settings.deadline;
  }

  async run(): Promise<Response> {
    this.#signal?.throwIfAborted();
    for (let attempt = 0; ; attempt++) {
      await this.#turn();
      const outcome = await this.#send(attempt);
      const wait = this.#waitBeforeNext(outcome, attempt);
      if (wait === undefined) {
        if (outcome.response !== undefined) return outcome.response;
        throw outcome.error;
      }
      if (outcome.response !== undefined) discard(outcome);
      await this.#sleep(wait);
    }
  }

  /** Waits until neither the server nor the limiter minds another request. */
  async #turn(): Promise<void> {
    await this.#quiet();
    if (this.#limiter === undefined) return;
    const signal = this.#signal === undefined ? {} : { signal: this.#signal };
    const weight = this.#settings.weight(this.#request);
    await this.#limiter.acquire(this.#key, { weight, timeout: Math.max(0, this.#left()), ...signal });
    // Another call may have been told to be quiet meanwhile.
    await this.#quiet();
  }

  async #quiet(): Promise<void> {
    for (let wait = this.#pauses.left(this.#key); wait > 0; wait = this.#pauses.left(this.#key)) {
      if (wait >= this.#left()) throw new FetchDeadlineError(this.#request.url, this.#settings.deadline, wait);
      await this.#sleep(wait);
    }
  }

  async #send(attempt: number): Promise<Outcome> {
    const { fetch, clock, deadline } = this.#settings;
    // A body can be read once, so all attempts but the last that may be send a copy.
    const input = isRequest(this.#input) && attempt < this.#retries ? this.#input.clone() : this.#input;
    const late = () => new FetchDeadlineError(this.#request.url, deadline, 0);
    const signal = this.#signal;
    const left = this.#left();
    try {
      const answer = await sendInTime({ fetch, input, init: this.#init, signal, clock, left, late });
      this.#pauses.heed(this.#key, answer.response);
      return answer;
    } catch (error) {
      // Whatever the implementation makes of it, the caller's own reason is what it waits for.
      if (signal?.aborted) throw signal.reason;
      return { error };
    }
  }

  /** Milliseconds until the next attempt; `undefined` when there is to be none. */
  #waitBeforeNext(outcome: Outcome, attempt: number): number | undefined {
    if (attempt >= this.#retries || !this.#mayPass(outcome)) return undefined;
    const wait = this.#pauses.left(this.#key) + this.#settings.backoff(attempt);
    return wait < this.#left() ? wait : undefined;
  }

  /** Whether what went wrong may be better another time. */
  #mayPass(outcome: Outcome): boolean {
    if (outcome.response !== undefined) return this.#settings.statuses.has(outcome.response.status);
    const { error } = outcome;
    if (!(error instanceof TypeError) || isLasting(error, this.#request.url)) return false;
    return !isWrongCall(this.#input, this.#init);
  }

  #sleep(ms: number): Promise<void> {
    const { clock } = this.#settings;
    return sleep(ms, this.#signal, (delay, wake) => clock.schedule(delay, wake));
  }

  #left(): number {
    return this.#expires - this.#settings.clock.elapsed();
  }
}

/** Lets go of an answer that nobody will read, and of its connection. */
function discard({ response, release }: Received): void {
  release();
  response.body?.cancel().catch(() => {});
}
