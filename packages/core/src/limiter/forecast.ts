import type { Snapshot } from "../abstract-bucket.js";
import type { Kernel } from "../algorithms/kernel.js";
import { decide, longestWait } from "../algorithms/operate.js";
import type { Decision } from "../decision.js";
import { toMicroseconds, toMilliseconds } from "../duration.js";

/**
 * When the waiters of one key will be admitted, if nobody else comes.
 *
 * It plays the line forward on a copy of the key's state, one waiter after another, so
 * that a newcomer learns at once whether its deadline can be met. Instants are `elapsed()`
 * milliseconds of the clock that the waiters' timers run on.
 */
export class Forecast {
  readonly #kernel: Kernel;
  readonly #snapshot: Snapshot;
  readonly #taken: number;
  readonly #buffer: number;
  /** Microseconds on the bucket's clock at which the last waiter is admitted. */
  #last: number;

  /**
   * @param snapshot The key as it is at the instant `taken`; the forecast writes into its state.
   * @param buffer Milliseconds that are added to each wait.
   */
  constructor(kernel: Kernel, snapshot: Snapshot, taken: number, buffer: number) {
    this.#kernel = kernel;
    this.#snapshot = snapshot;
    this.#taken = taken;
    this.#buffer = toMicroseconds(buffer);
    this.#last = snapshot.now;
  }

  /** The refusal of an item that comes at `instant` and stands behind all that were added. */
  refusal(weight: number, instant: number): Decision {
    const admission = this.#admission(weight, instant);
    const decision = decide(this.#kernel, this.#snapshot.state, this.#last, weight);
    return { ...decision, allowed: false, retryAfter: toMilliseconds(admission - this.#now(instant)) };
  }

  /** Adds a waiter to the end of the line. */
  add(weight: number, instant: number): void {
    this.#last = this.#admission(weight, instant);
    this.#kernel.take(this.#snapshot.state, this.#last, weight);
  }

  #admission(weight: number, instant: number): number {
    const start = Math.max(this.#last, this.#now(instant));
    const wait = longestWait(this.#kernel, this.#snapshot.state, start, weight);
    return wait === 0 ? start : start + wait + this.#buffer;
  }

  #now(instant: number): number {
    return this.#snapshot.now + toMicroseconds(instant - this.#taken);
  }
}
