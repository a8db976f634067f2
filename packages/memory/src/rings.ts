/**
 * Where the logs of many keys live: rings of entries, carved out of one typed array.
 *
 * An entry is two numbers, its time and the running total of units up to it. A ring
 * holds a power of two of entries. Rings that are given back are used again for rings of
 * their size; the array itself shrinks when its table is rebuilt.
 *
 * @module
 */
const ENTRY = 2;
const FIRST_CAPACITY = 16;

/** Rings of entries in one typed array. */
export class Rings {
  #numbers = new Float64Array(ENTRY * FIRST_CAPACITY);
  /** Entries handed out so far. */
  #end = 0;
  /** The first free ring of 2^i entries, which holds the place of the next; -1 for none. */
  readonly #free: number[] = [];

  /** Finds room for a ring of `capacity` entries, a power of two; gives back its place. */
  take(capacity: number): number {
    const size = Math.log2(capacity);
    const free = this.#free[size] ?? -1;
    if (free >= 0) {
      this.#free[size] = this.#numbers[ENTRY * free] as number;
      return free;
    }
    const place = this.#end;
    this.#end += capacity;
    if (this.#end * ENTRY > this.#numbers.length) {
      const grown = new Float64Array(ENTRY * Math.max(this.#end, Math.ceil(this.#numbers.length * 0.75)));
      grown.set(this.#numbers);
      this.#numbers = grown;
    }
    return place;
  }

  /** Gives a ring back. */
  release(place: number, capacity: number): void {
    const size = Math.log2(capacity);
    this.#numbers[ENTRY * place] = this.#free[size] ?? -1;
    this.#free[size] = place;
  }

  time(entry: number): number {
    return this.#numbers[ENTRY * entry] as number;
  }

  total(entry: number): number {
    return this.#numbers[ENTRY * entry + 1] as number;
  }

  write(entry: number, time: number, total: number): void {
    this.#numbers[ENTRY * entry] = time;
    this.#numbers[ENTRY * entry + 1] = total;
  }
}
