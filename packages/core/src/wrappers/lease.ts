import type { Decision } from "../decision.js";

/** Units of one key that were taken in advance. Times are milliseconds on the clock of the timers. */
export class Lease {
  #units: number;
  readonly #decision: Decision;
  readonly #since: number;
  readonly #leak: number;
  readonly #cancelTimer: () => void;

  /**
   * @param decision What the store said when they were taken.
   * @param leak Units a millisecond that time gives back to the store, and so takes from the lease.
   * @param cancelTimer Takes back the timer of its end.
   */
  constructor(units: number, decision: Decision, since: number, leak: number, cancelTimer: () => void) {
    this.#units = units;
    this.#decision = decision;
    this.#since = since;
    this.#leak = leak;
    this.#cancelTimer = cancelTimer;
  }

  /** Whole units that may still be used, or given back. */
  left(now: number): number {
    return now < this.#since ? 0 : Math.max(0, Math.floor(this.#units - (now - this.#since) * this.#leak));
  }

  /** Uses units, if there are so many, and says what the store would; `undefined` where there are not. */
  take(weight: number, now: number): Decision | undefined {
    if (weight > this.left(now)) return undefined;
    this.#units -= weight;
    return this.tell(now);
  }

  /** What {@link take} would say. */
  peek(weight: number, now: number): Decision | undefined {
    const left = this.left(now);
    return weight > left ? undefined : { ...this.tell(now), remaining: left - weight + this.#decision.remaining };
  }

  /** The decision on an item that was served from it. */
  tell(now: number): Decision {
    const resetAfter = Math.max(0, this.#decision.resetAfter - (now - this.#since));
    return { ...this.#decision, remaining: this.left(now) + this.#decision.remaining, resetAfter };
  }

  /** Takes its timer back. */
  end(): void {
    this.#cancelTimer();
  }
}
