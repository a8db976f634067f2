import { StoreError } from "@sluice/core";
import type { Pool } from "./pool.js";
import type { Seat } from "./seat.js";
import { FREE, FREE_COUNT, MOST_FREE, MOST_RETIRED, RETIRED, RETIRED_COUNT } from "./shared-memory.js";

/** How many records change hands at once. */
const BATCH = 16;
/** The longest chain that can be copied: with a keyed hash, half as long is never seen. */
export const MOST_AT_ONCE = MOST_FREE - BATCH;

/**
 * The records that belong to one worker: those that it may write in, and those that it
 * took out of chains and that others may still look at.
 *
 * They are listed in the worker's seat, so that whoever has the seat next inherits them.
 * A record leaves one list before it enters another: a worker that ends in between loses
 * it, and nobody finds it twice.
 */
export class SpareRecords {
  readonly #seat: Seat;
  /** The words of the seat. */
  readonly #words: Int32Array;
  readonly #pool: Pool;
  /** Room for the records that pins are on. */
  readonly #pins: Int32Array;

  constructor(seat: Seat, pool: Pool, maxWorkers: number) {
    this.#pins = new Int32Array(maxWorkers);
    this.#seat = seat;
    this.#words = seat.words;
    this.#pool = pool;
  }

  /** Sees to it that `count` records can be written in; gives back the first. */
  first(count: number): number {
    const words = this.#words;
    if ((words[FREE_COUNT] as number) < count) this.#refill(count);
    return words[FREE - 1 + (words[FREE_COUNT] as number)] as number;
  }

  /** Number `index` of the records that can be written in. */
  at(index: number): number {
    return this.#words[FREE - 1 + (this.#words[FREE_COUNT] as number) - index] as number;
  }

  /** Takes the first `count` records off the list, before they are shown to others; or puts them back, if `count` is below 0. */
  spend(count: number): void {
    this.#words[FREE_COUNT] = (this.#words[FREE_COUNT] as number) - count;
  }

  /** Keeps a record that this worker has taken out of a chain. */
  retire(record: number): void {
    const words = this.#words;
    if (words[RETIRED_COUNT] === MOST_RETIRED) this.#makeRoom();
    const count = words[RETIRED_COUNT] as number;
    words[RETIRED + count] = record;
    words[RETIRED_COUNT] = count + 1;
  }

  #refill(count: number): void {
    if (count > MOST_AT_ONCE) throw damaged(`a change takes ${count} records at once`);
    this.#settle();
    if (this.#get(FREE_COUNT) >= count) return;
    for (const record of this.#pool.take(BATCH)) this.retire(record);
    this.#settle();
    while (this.#get(FREE_COUNT) < count) {
      const fresh = this.#pool.takeFresh(BATCH);
      if (fresh.length === 0) throw damaged("no record is left");
      for (const record of fresh) this.#push(FREE, FREE_COUNT, record);
    }
  }

  /** Moves what nobody looks at any more to the records that can be written in. */
  #settle(): void {
    const pins = this.#seat.listPins(this.#pins);
    const count = this.#get(RETIRED_COUNT);
    this.#set(RETIRED_COUNT, 0);
    for (let i = 0; i < count; i++) {
      const record = this.#get(RETIRED + i);
      if (this.#isPinned(record, pins) || this.#get(FREE_COUNT) === MOST_FREE)
        this.#push(RETIRED, RETIRED_COUNT, record);
      else this.#push(FREE, FREE_COUNT, record);
    }
  }

  #isPinned(record: number, pins: number): boolean {
    for (let i = 0; i < pins; i++) if (this.#pins[i] === record) return true;
    return false;
  }

  /**
   * Leaves half of the retired records to the pool; whoever takes them looks for pins.
   *
   * A worker whose pin is on one may then read of it what follows in the pool: what it
   * makes of that is refused, since the record is not in its chain any more.
   */
  #makeRoom(): void {
    const count = MOST_RETIRED / 2;
    this.#set(RETIRED_COUNT, count);
    this.#pool.give(Array.from({ length: count }, (_, i) => this.#get(RETIRED + count + i)));
  }

  #push(list: number, counter: number, record: number): void {
    const count = this.#get(counter);
    this.#set(list + count, record);
    this.#set(counter, count + 1);
  }

  #get(field: number): number {
    return this.#words[field] as number;
  }

  #set(field: number, value: number): void {
    this.#words[field] = value;
  }
}

/** What is thrown when no worker can have left the buffer like that. */
export function damaged(what: string): StoreError {
  return new StoreError(
    `Cannot use the shared memory: ${what}. Either something else writes into it, or thousands of workers were terminated in mid-operation. Make a new bucket.`,
  );
}
