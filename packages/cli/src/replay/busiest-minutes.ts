/** What came in one minute. */
export interface Minute {
  /** Its number since 1970. */
  readonly number: number;
  requests: number;
  refused: number;
}

const US_PER_MINUTE = 60_000_000;

/**
 * Finds the minutes with the most requests, the earlier of equals first.
 *
 * Requests come in order, so that a minute is over when the next begins: only the best are kept.
 */
export class BusiestMinutes {
  readonly #count: number;
  #best: Minute[] = [];
  #current: Minute = { number: -1, requests: 0, refused: 0 };

  /** @param count How many minutes to find. */
  constructor(count: number) {
    this.#count = count;
  }

  /** Takes note of a request; times, in microseconds, never go back. */
  add(time: number, refused: boolean): void {
    const number = Math.floor(time / US_PER_MINUTE);
    if (number !== this.#current.number) {
      this.#best = this.list();
      this.#current = { number, requests: 0, refused: 0 };
    }
    this.#current.requests++;
    if (refused) this.#current.refused++;
  }

  /** The busiest minutes so far, the busiest first. */
  list(): Minute[] {
    const { requests } = this.#current;
    const place = this.#best.findIndex((minute) => minute.requests < requests);
    if (requests === 0 || (place === -1 && this.#best.length >= this.#count)) return this.#best;
    return this.#best.toSpliced(place === -1 ? this.#best.length : place, 0, this.#current).slice(0, this.#count);
  }
}
