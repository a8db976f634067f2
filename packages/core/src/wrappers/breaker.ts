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
 *
 * A call that may go to the store gets a ticket, and says by it how it went. A ticket is
 * good until the store is left alone, tried or back again: what becomes of older calls is
 * no news of the store as it is now.
 */
export class Breaker {
  readonly #failures: number;
  readonly #coolDown: number;
  readonly #elapsed: () => number;
  #inARow = 0;
  /** When the next call may try; `undefined` while all may. */
  #retryAt: number | undefined;
  #trying = false;
  /** The ticket of the calls that count. */
  #ticket = 0;

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

  /** Milliseconds after which to ask again: when the store is tried; soon, while it is being asked. */
  get retryAfter(): number {
    return Math.ceil(this.rest > 0 ? this.rest : this.#coolDown / 50);
  }

  /** The ticket of a call that may go to the store, and must say how it went; `undefined` for one that may not. */
  admit(): number | undefined {
    if (this.#retryAt === undefined) return this.#ticket;
    if (this.#trying || this.#retryAt > this.#elapsed()) return undefined;
    this.#trying = true;
    return ++this.#ticket;
  }

  succeeded(ticket: number): void {
    if (ticket !== this.#ticket) return;
    this.#inARow = 0;
    if (this.#retryAt === undefined) return;
    this.#trying = false;
    this.#retryAt = undefined;
    this.#ticket++;
  }

  failed(ticket: number): void {
    if (ticket !== this.#ticket) return;
    this.#inARow++;
    if (this.#retryAt === undefined && this.#inARow < this.#failures) return;
    this.#trying = false;
    this.#retryAt = this.#elapsed() + this.#coolDown;
    this.#ticket++;
  }
}
