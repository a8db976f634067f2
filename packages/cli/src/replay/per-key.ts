const FIRST_CAPACITY = 1024;

/** A number for each key, 0 at first. Keys are numbered from 0 on. */
export class NumberPerKey {
  #numbers: Float64Array = new Float64Array(FIRST_CAPACITY);

  get(key: number): number {
    return key < this.#numbers.length ? (this.#numbers[key] as number) : 0;
  }

  set(key: number, value: number): void {
    while (key >= this.#numbers.length) this.#numbers = doubled(this.#numbers);
    this.#numbers[key] = value;
  }

  /** Adds 1 to a key's number. */
  increment(key: number): void {
    this.set(key, this.get(key) + 1);
  }

  /** The numbers of the first `count` keys, a copy. */
  first(count: number): Float64Array {
    if (count > 0) this.set(count - 1, this.get(count - 1));
    return this.#numbers.slice(0, count);
  }
}

/** A thing for each key, made when it is first asked for. Keys are numbered from 0 on. */
export class ThingPerKey<T> {
  readonly #things: (T | undefined)[] = [];
  readonly #make: () => T;

  constructor(make: () => T) {
    this.#make = make;
  }

  get(key: number): T {
    // Without gaps, V8 keeps it a plain list.
    while (this.#things.length <= key) this.#things.push(undefined);
    const thing = this.#things[key] ?? this.#make();
    this.#things[key] = thing;
    return thing;
  }
}

/** An array twice as long with the same beginning. */
export function doubled(numbers: Float64Array): Float64Array {
  const longer = new Float64Array(2 * numbers.length);
  longer.set(numbers);
  return longer;
}
