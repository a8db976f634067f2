/** When a circuit breaker leaves a store alone, and for how long. */
export interface BreakerOptions {
  /** After how many failures in a row the store is left alone; 5 when left out. */
  readonly failures?: number;
  /** For how many milliseconds it is left alone before one call tries it again; 5000 when left out. */
  readonly coolDown?: number;
}

/**
 * A circuit breaker: leaves a store alone that keeps failing, and lets one call at a time
 * try whether it is back.
 */
export class Breaker {
  readonly #failures: number;
  readonly #coolDown: number;
  readonly #elapsed: () => number;
  #inARow = 0;
  /** When the next call may try; `undefined` while all may. */
  #retryAt: number | undefined;
  #trying = false;

  /** @param elapsed Milliseconds on a clock that never steps back. */
  constructor(failures: number, coolDown: number, elapsed: () => number) {
    this.#failures = failures;
    this.#coolDown = coolDown;
    this.#elapsed = elapsed;
  }

  /** Milliseconds until the store is tried again; 0 while it is being asked. */
  get rest(): number {
    return this.#retryAt === undefined ? 0 : Math.max(0, this.#retryAt - this.#elapsed());
  }

  /** Whether a call may go to the store; one that does must say how it went. */
  admit(): boolean {
    if (this.#retryAt === undefined) return true;
    if (this.#trying || this.#retryAt > this.#elapsed()) return false;
    this.#trying = true;
    return true;
  }

  succeeded(): void {
    this.#trying = false;
    this.#inARow = 0;
    this.#retryAt = undefined;
  }

  failed(): void {
    this.#inARow++;
    // A failure of a call from before the store was left alone says nothing new.
    if (this.#retryAt !== undefined && !this.#trying) return;
    this.#trying = false;
    if (this.#retryAt !== undefined || this.#inARow >= this.#failures) this.#retryAt = this.#elapsed() + this.#coolDown;
  }
}
