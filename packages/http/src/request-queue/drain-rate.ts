/** Milliseconds of waiting after which what was seen counts for a third of what it did. */
const MEMORY = 10_000;
/** What is said while nothing is known yet, and what may be said at least and at most, in milliseconds. */
const UNKNOWN = 1000;
const SHORTEST = 1;
const LONGEST = 60_000;

/**
 * How fast slots come free while somebody waits for them.
 *
 * It counts the slots that came free and the time in which they did, and forgets both
 * exponentially; their quotient is the rate. Time in which nobody waited does not count:
 * it tells nothing of how fast the work can go. Time since the last slot came free does,
 * so that the estimate grows while the work stalls.
 */
export class DrainRate {
  #slots = 0;
  #time = 0;
  /** When it was last brought up to date; `undefined` while nobody waits. */
  #since: number | undefined;

  /** Somebody waits from now on. */
  start(now: number): void {
    this.#since ??= now;
  }

  /** A slot came free for one who waited. */
  drained(now: number): void {
    this.#elapse(now);
    this.#slots++;
  }

  /** Nobody waits any more. */
  stop(now: number): void {
    this.#elapse(now);
    this.#since = undefined;
  }

  /**
   * Milliseconds until `count` slots will have come free, if it goes on like this:
   * `count` divided by the rate, between 1 ms and a minute.
   */
  timeFor(count: number, now: number): number {
    const stalled = this.#since === undefined ? 0 : Math.max(0, now - this.#since);
    const estimate = this.#slots === 0 ? Math.max(UNKNOWN, stalled) : (count * (this.#time + stalled)) / this.#slots;
    return Math.min(Math.max(estimate, SHORTEST), LONGEST);
  }

  #elapse(now: number): void {
    const elapsed = Math.max(0, now - (this.#since ?? now));
    const kept = Math.exp(-elapsed / MEMORY);
    this.#slots *= kept;
    this.#time = this.#time * kept + elapsed;
    this.#since = now;
  }
}
