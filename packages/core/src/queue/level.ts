/** What is in a leaky bucket: any amount, fractions included, and a continuous leak. Times are milliseconds. */
export class Level {
  readonly #capacity: number;
  /** What leaks in a millisecond. */
  readonly #leak: number;
  #level = 0;
  /** When the level was last worked out. */
  #since: number;

  constructor(capacity: number, leak: number, now: number) {
    this.#capacity = capacity;
    this.#leak = leak;
    this.#since = now;
  }

  /** Takes `amount` if it fits, and says whether it did. */
  admit(amount: number, now: number): boolean {
    if (this.excess(amount, now) > 0) return false;
    this.#level += amount;
    return true;
  }

  /** How much has to leak before `amount` fits; 0 when it does. */
  excess(amount: number, now: number): number {
    if (now > this.#since) {
      this.#level = Math.max(0, this.#level - (now - this.#since) * this.#leak);
      this.#since = now;
    }
    return Math.max(0, this.#level + amount - this.#capacity);
  }

  /** When `amount` will fit, if nothing else comes: rounded up to a microsecond, so that it does fit then. */
  fitsAt(amount: number, now: number): number {
    return now + Math.ceil((this.excess(amount, now) / this.#leak) * 1000) / 1000;
  }
}
