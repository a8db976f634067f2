import type { Cell, Log } from "@sluice/core";
import type { Rings } from "./rings.js";

/** Numbers that describe one log: place and capacity of its ring, its oldest entry, how many, and units long gone. */
export const LOG_WIDTH = 5;
const PLACE = 0;
const CAPACITY = 1;
const OLDEST = 2;
const SIZE = 3;
const GONE = 4;

/**
 * A log that lies in a ring, seen through a cursor: `numbers` and `offset` say which.
 *
 * All numbers zero is an empty log without a ring.
 */
export class RingLog implements Log, Cell {
  numbers: Float64Array = new Float64Array(LOG_WIDTH);
  offset = 0;
  rings: Rings;

  constructor(rings: Rings) {
    this.rings = rings;
  }

  get size(): number {
    return this.numbers[this.offset + SIZE] as number;
  }

  time(index: number): number {
    return this.rings.time(this.#entry(index));
  }

  total(index: number): number {
    return index < 0 ? 0 : this.rings.total(this.#entry(index)) - this.#get(GONE);
  }

  append(time: number, weight: number): void {
    const size = this.size;
    const total = this.#get(GONE) + this.total(size - 1) + weight;
    if (size === this.#get(CAPACITY)) this.#grow();
    this.#set(SIZE, size + 1);
    this.rings.write(this.#entry(size), time, total);
  }

  dropOldest(count: number): void {
    if (count === 0) return;
    this.#set(GONE, this.#get(GONE) + this.total(count - 1));
    this.#set(OLDEST, (this.#get(OLDEST) + count) & (this.#get(CAPACITY) - 1));
    this.#set(SIZE, this.size - count);
  }

  dropNewest(units: number): void {
    const target = this.total(this.size - 1) - units;
    while (this.size > 0 && this.total(this.size - 2) >= target) this.#set(SIZE, this.size - 1);
    if (this.size === 0) return;
    const newest = this.#entry(this.size - 1);
    this.rings.write(newest, this.rings.time(newest), this.#get(GONE) + target);
  }

  /** Gives the ring back; the log is empty afterwards. */
  release(): void {
    if (this.#get(CAPACITY) > 0) this.rings.release(this.#get(PLACE), this.#get(CAPACITY));
    this.numbers.fill(0, this.offset, this.offset + LOG_WIDTH);
  }

  /** Moves the entries into `rings`, into a ring of the smallest size that holds them. */
  moveTo(rings: Rings): void {
    const capacity = this.size === 0 ? 0 : 2 ** Math.ceil(Math.log2(this.size));
    this.#move(rings, capacity);
    this.rings = rings;
  }

  #grow(): void {
    const { rings } = this;
    const place = this.#get(PLACE);
    const capacity = this.#get(CAPACITY);
    this.#move(rings, Math.max(1, 2 * capacity));
    if (capacity > 0) rings.release(place, capacity);
  }

  #move(rings: Rings, capacity: number): void {
    const place = capacity === 0 ? 0 : rings.take(capacity);
    for (let index = 0; index < this.size; index++) {
      const entry = this.#entry(index);
      rings.write(place + index, this.rings.time(entry), this.rings.total(entry));
    }
    this.#set(PLACE, place);
    this.#set(CAPACITY, capacity);
    this.#set(OLDEST, 0);
  }

  #entry(index: number): number {
    return this.#get(PLACE) + ((this.#get(OLDEST) + index) & (this.#get(CAPACITY) - 1));
  }

  #get(field: number): number {
    return this.numbers[this.offset + field] as number;
  }

  #set(field: number, value: number): void {
    this.numbers[this.offset + field] = value;
  }
}
