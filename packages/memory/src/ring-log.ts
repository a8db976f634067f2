import type { Cell, Log } from "@sluice/core";
import type { Rings } from "./rings.js";

/** Numbers that describe one log. */
export const LOG_WIDTH = 8;
/** Where its ring lies, and how many entries that holds: a power of two, or 0 for no ring. */
const PLACE = 0;
const CAPACITY = 1;
/** The place of the oldest entry in the ring, and how many there are. */
const OLDEST = 2;
const SIZE = 3;
/** Units of the entries that were dropped: what all totals in the ring are counted from. */
const GONE = 4;
/** Copies from the oldest and the newest entry, beside the rest since most decisions need no more. */
const OLDEST_TIME = 5;
const NEWEST_TIME = 6;
const NEWEST_TOTAL = 7;

/**
 * A log that lies in a ring, seen through a cursor: `numbers` and `offset` say which.
 *
 * All numbers zero is an empty log without a ring.
 */
export class RingLog implements Log, Cell {
  offset = 0;

  /** @param rings Where the entries of all logs in `numbers` lie. */
  constructor(
    public numbers: Float64Array,
    readonly rings: Rings,
  ) {}

  get size(): number {
    return this.#get(SIZE);
  }

  time(index: number): number {
    if (index === 0) return this.#get(OLDEST_TIME);
    if (index === this.size - 1) return this.#get(NEWEST_TIME);
    return this.rings.time(this.#entry(index));
  }

  total(index: number): number {
    if (index < 0) return 0;
    if (index === this.size - 1) return this.#get(NEWEST_TOTAL) - this.#get(GONE);
    return this.rings.total(this.#entry(index)) - this.#get(GONE);
  }

  append(time: number, weight: number): void {
    const size = this.size;
    if (size === this.#get(CAPACITY)) this.#grow();
    // Beyond, totals could not be told apart: they are counted anew from the oldest entry.
    if (this.#get(NEWEST_TOTAL) + weight > Number.MAX_SAFE_INTEGER && this.#get(GONE) > 0) this.#recount();
    const total = this.#get(GONE) + this.total(size - 1) + weight;
    this.rings.write(this.#entry(size), time, total);
    this.#set(SIZE, size + 1);
    this.#set(NEWEST_TIME, time);
    this.#set(NEWEST_TOTAL, total);
    if (size === 0) this.#set(OLDEST_TIME, time);
  }

  dropOldest(count: number): void {
    if (count === 0) return;
    this.#set(GONE, this.#get(GONE) + this.total(count - 1));
    this.#set(OLDEST, (this.#get(OLDEST) + count) & (this.#get(CAPACITY) - 1));
    this.#set(SIZE, this.size - count);
    // An empty log counts from 0 again, lest totals grow beyond what a double can tell apart.
    if (this.size === 0) this.#set(GONE, 0);
    else this.#set(OLDEST_TIME, this.rings.time(this.#entry(0)));
  }

  subtract(index: number, units: number): void {
    const left = this.total(index) - this.total(index - 1) - units;
    for (let i = index; i < this.size; i++) {
      // An entry that is left with none makes way for those after it.
      const from = this.#entry(left > 0 ? i : i + 1);
      if (left > 0 || i + 1 < this.size)
        this.rings.write(this.#entry(i), this.rings.time(from), this.rings.total(from) - units);
    }
    if (left <= 0) this.#dropLast();
    if (this.size === 0) return;
    this.#set(OLDEST_TIME, this.rings.time(this.#entry(0)));
    const newest = this.#entry(this.size - 1);
    this.#set(NEWEST_TIME, this.rings.time(newest));
    this.#set(NEWEST_TOTAL, this.rings.total(newest));
  }

  dropNewest(units: number): void {
    const target = this.total(this.size - 1) - units;
    while (this.size > 0 && this.total(this.size - 2) >= target) this.#dropLast();
    if (this.size === 0) return;
    const newest = this.#entry(this.size - 1);
    this.#set(NEWEST_TOTAL, this.#get(GONE) + target);
    this.rings.write(newest, this.rings.time(newest), this.#get(NEWEST_TOTAL));
  }

  /** Gives the ring back; the log is empty afterwards. */
  release(): void {
    if (this.#get(CAPACITY) > 0) this.rings.release(this.#get(PLACE), this.#get(CAPACITY));
    this.numbers.fill(0, this.offset, this.offset + LOG_WIDTH);
  }

  /** Copies the entries that `source` holds for a log of the same numbers into a ring of its own that just holds them. */
  copyEntriesFrom(source: Rings): void {
    this.#move(source, this.size === 0 ? 0 : 2 ** Math.ceil(Math.log2(this.size)));
  }

  #dropLast(): void {
    const size = this.size - 1;
    this.#set(SIZE, size);
    if (size === 0) return;
    const newest = this.#entry(size - 1);
    this.#set(NEWEST_TIME, this.rings.time(newest));
    this.#set(NEWEST_TOTAL, this.rings.total(newest));
  }

  #grow(): void {
    const place = this.#get(PLACE);
    const capacity = this.#get(CAPACITY);
    this.#move(this.rings, Math.max(1, 2 * capacity));
    if (capacity > 0) this.rings.release(place, capacity);
  }

  #move(source: Rings, capacity: number): void {
    const place = capacity === 0 ? 0 : this.rings.take(capacity);
    for (let index = 0; index < this.size; index++) {
      const entry = this.#entry(index);
      this.rings.write(place + index, source.time(entry), source.total(entry) - this.#get(GONE));
    }
    this.#set(NEWEST_TOTAL, this.#get(NEWEST_TOTAL) - this.#get(GONE));
    this.#set(GONE, 0);
    this.#set(PLACE, place);
    this.#set(CAPACITY, capacity);
    this.#set(OLDEST, 0);
  }

  #recount(): void {
    const gone = this.#get(GONE);
    for (let index = 0; index < this.size; index++) {
      const entry = this.#entry(index);
      this.rings.write(entry, this.rings.time(entry), this.rings.total(entry) - gone);
    }
    this.#set(NEWEST_TOTAL, this.#get(NEWEST_TOTAL) - gone);
    this.#set(GONE, 0);
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
