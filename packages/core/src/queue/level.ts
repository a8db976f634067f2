/** The share of the capacity that sums of fractions may be off by: `3.3 - 1.1` is less than `2.2`. */
const ROUNDING = 1e-12;

/** What is in a leaky bucket: any amount, fractions included, and a continuous leak. Times are milliseconds. */
export class Level {
  readonly #capacity: number;
  /** What leaks in a millisecond. */
  readonly #leak: number;
  #level = 0;
  /** When the level was that. */
  #since: number;

  constructor(capacity: number, leak: number, now: number) {
    this.#capacity = capacity;
    this.#leak = leak;
    this.#since = now;
  }

  /** Takes `amount` if it fits, and says whether it did. */
  admit(amount: number, now: number): boolean {
    if (this.excess(amount, now) > 0) return false;
    this.#level = this.#at(now) + amount;
    this.#since = Math.max(this.#since, now);
    return true;
  }

  /** How much has to leak before `amount` fits; 0 when it does. */
  excess(amount: number, now: number): number {
    const excess = this.#at(now) + amount - this.#capacity;
    return excess > ROUNDING * this.#capacity ? excess : 0;
  }

  /** When `amount` will fit, if nothing else comes: rounded up to a microsecond, so that it does fit then. */
  fitsAt(amount: number, now: number): number {
    return now + Math.ceil((this.excess(amount, now) / this.#leak) * 1000) / 1000;
  }

  #at(now: number): number {
    return Math.max(0, this.#level - Math.max(0, now - this.#since) * this.#leak);
  }
}
