import { HIGHEST_SEAT, HOLDER, PIN, SEAT, type SharedMemory } from "./shared-memory.js";

/**
 * A worker's seat, where it says which record it looks at: its pin (a hazard pointer, Michael 2004).
 *
 * A record that was taken out of its chain is written anew only when no pin is on it. So
 * what a pin is on stays as it is, and cannot come back as the head of a chain meanwhile:
 * a word that still shows it has not changed.
 */
export class Seat {
  /** The words of the seat. */
  readonly words: Int32Array;
  readonly #memory: SharedMemory;
  readonly #buckets: Int32Array;
  /** What this worker's pin is on. */
  #pinned = 0;

  private constructor(memory: SharedMemory, seat: number) {
    this.#memory = memory;
    this.#buckets = memory.words;
    this.words = new Int32Array(memory.buffer, 4 * memory.seatAt(seat), SEAT);
  }

  /** Takes a seat that is free, for a worker that came by the handle of that number; `undefined` when none is. */
  static take(memory: SharedMemory, handle: number): Seat | undefined {
    for (let seat = 1; seat <= memory.plan.maxWorkers; seat++) {
      if (Atomics.compareExchange(memory.ints, memory.seatAt(seat) + HOLDER, 0, handle) !== 0) continue;
      raise(memory.ints, HIGHEST_SEAT, seat);
      return new Seat(memory, seat);
    }
    return undefined;
  }

  /** Frees the seats of workers that came by the handle of that number and have ended. */
  static clear(memory: SharedMemory, handle: number): void {
    const { ints } = memory;
    for (let seat = Atomics.load(ints, HIGHEST_SEAT); seat > 0; seat--) {
      if (Atomics.load(ints, memory.seatAt(seat) + HOLDER) === handle) new Seat(memory, seat).leave();
    }
  }

  /** The first record of a bucket's chain, pinned; 0 where there is none. */
  pinHead(bucket: number): number {
    const buckets = this.#buckets;
    let head = buckets[bucket] as number;
    for (;;) {
      if (head !== this.#pinned && head !== 0) this.#pin(head);
      // The pin counts when the word shows the record after it was put there.
      const seen = Atomics.load(buckets, bucket);
      if (seen === head) return head;
      head = seen;
    }
  }

  /** Writes the records that pins are on into a list that is long enough for all; gives back how many. */
  listPins(pins: Int32Array): number {
    const { ints } = this.#memory;
    let count = 0;
    for (let seat = Atomics.load(ints, HIGHEST_SEAT); seat > 0; seat--) {
      const record = Atomics.load(ints, this.#memory.seatAt(seat) + PIN);
      if (record !== 0) pins[count++] = record;
    }
    return count;
  }

  /** Leaves the seat, and the records in it, to whoever comes next. */
  leave(): void {
    Atomics.store(this.words, PIN, 0);
    Atomics.store(this.words, HOLDER, 0);
  }

  #pin(record: number): void {
    Atomics.store(this.words, PIN, record);
    this.#pinned = record;
  }
}

function raise(ints: Int32Array, at: number, value: number): void {
  for (let seen = Atomics.load(ints, at); seen < value; seen = Atomics.load(ints, at)) {
    Atomics.compareExchange(ints, at, seen, value);
  }
}
