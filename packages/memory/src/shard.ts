import { Rings } from "./rings.js";

const FIRST_CAPACITY = 16;

/** Some of the keys of a table, with their cells side by side in one typed array. */
export class Shard {
  readonly width: number;
  slots = new Map<string, number>();
  numbers: Float64Array;
  /** For each slot, whether its key was used since eviction last came by. */
  used: Uint8Array;
  rings = new Rings();
  /** Slots handed out so far. */
  #end = 0;
  /** The first free slot, whose first number is the next one; -1 for none. */
  #free = -1;
  #hand: Iterator<[string, number]> | undefined;

  constructor(width: number) {
    this.width = width;
    this.numbers = new Float64Array(width * FIRST_CAPACITY);
    this.used = new Uint8Array(FIRST_CAPACITY);
  }

  /** Gives a key a slot of zeros. */
  add(key: string): number {
    let slot = this.#free;
    if (slot >= 0) this.#free = this.numbers[slot * this.width] as number;
    else {
      slot = this.#end++;
      if (slot === this.used.length) this.#resize(2 * slot);
    }
    this.numbers.fill(0, slot * this.width, (slot + 1) * this.width);
    this.used[slot] = 0;
    this.slots.set(key, slot);
    return slot;
  }

  /** Takes a key's slot back. */
  delete(key: string, slot: number): void {
    this.slots.delete(key);
    this.numbers[slot * this.width] = this.#free;
    this.#free = slot;
  }

  /** The next key in the order of their coming, for eviction; goes round. `undefined` only for an empty shard. */
  next(): [string, number] | undefined {
    this.#hand ??= this.slots.entries();
    let step = this.#hand.next();
    if (step.done) {
      this.#hand = this.slots.entries();
      step = this.#hand.next();
    }
    return step.done ? undefined : step.value;
  }

  /** Whether a rebuild would give back most of the memory. */
  get sparse(): boolean {
    return this.slots.size * 4 < this.used.length && this.used.length > FIRST_CAPACITY;
  }

  #resize(capacity: number): void {
    const numbers = new Float64Array(this.width * capacity);
    numbers.set(this.numbers);
    this.numbers = numbers;
    const used = new Uint8Array(capacity);
    used.set(this.used);
    this.used = used;
  }
}
