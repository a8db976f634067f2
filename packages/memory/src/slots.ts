import type { Cell, Kernel } from "@sluice/core";
import { LOG_WIDTH, RingLog } from "./ring-log.js";
import { Rings } from "./rings.js";

const FIRST_CAPACITY = 32;

/** A cell seen through a cursor. */
class CellCursor implements Cell {
  offset = 0;
  /** What is known of bookings, by offset: few keys have any. */
  readonly #booked = new Map<number, readonly number[]>();

  constructor(public numbers: Float64Array) {}

  get booked(): readonly number[] | undefined {
    return this.#booked.size === 0 ? undefined : this.#booked.get(this.offset);
  }

  set booked(booked: readonly number[] | undefined) {
    if (booked === undefined) this.#booked.delete(this.offset);
    else this.#booked.set(this.offset, booked);
  }
}

/** The state in a slot. */
export type Cursor = CellCursor | RingLog;

/** Numbered slots, each holding the state of one key, side by side in one typed array. */
export class Slots {
  /** Numbers a slot takes. */
  readonly width: number;
  /** The one state that this gives out: it lies where `offset` says. */
  readonly cursor: Cursor;
  /** A bit for each slot: whether its key was used since eviction last came by. */
  #used = new Uint32Array(FIRST_CAPACITY / 32);
  /** How many slots there is room for. */
  capacity = FIRST_CAPACITY;
  /** Slots handed out so far. */
  #end = 0;
  /** The first free slot, whose first number is the next one; -1 for none. */
  #free = -1;

  constructor(kernel: Kernel) {
    this.width = kernel.form === "log" ? LOG_WIDTH : kernel.width;
    const numbers = new Float64Array(this.width * FIRST_CAPACITY);
    this.cursor = kernel.form === "log" ? new RingLog(numbers, new Rings()) : new CellCursor(numbers);
  }

  /** The state in a slot: a cursor, good until the next call. */
  at(slot: number): Cursor {
    this.cursor.offset = slot * this.width;
    return this.cursor;
  }

  /** What it takes to move a slot: 1, and 1 for each entry of a log. */
  effort(slot: number): number {
    const state = this.at(slot);
    return state instanceof RingLog ? 1 + state.size : 1;
  }

  /** Hands out a slot of zeros. */
  take(): number {
    let slot = this.#free;
    if (slot >= 0) this.#free = this.cursor.numbers[slot * this.width] as number;
    else {
      slot = this.#end++;
      if (slot === this.capacity) this.#grow();
    }
    this.cursor.numbers.fill(0, slot * this.width, (slot + 1) * this.width);
    this.forgetUse(slot);
    return slot;
  }

  /** Notes that a slot was used. */
  noteUse(slot: number): void {
    const word = slot >>> 5;
    this.#used[word] = (this.#used[word] as number) | (1 << (slot & 31));
  }

  /** Whether a slot was used since that was last forgotten. */
  wasUsed(slot: number): boolean {
    return (((this.#used[slot >>> 5] as number) >>> (slot & 31)) & 1) === 1;
  }

  /** Forgets that a slot was used. */
  forgetUse(slot: number): void {
    const word = slot >>> 5;
    this.#used[word] = (this.#used[word] as number) & ~(1 << (slot & 31));
  }

  /** Takes a slot back, and what it refers to. */
  release(slot: number): void {
    const state = this.at(slot);
    if (state instanceof RingLog) state.release();
    else state.booked = undefined;
    this.cursor.numbers[slot * this.width] = this.#free;
    this.#free = slot;
  }

  /** Hands out a slot with the contents of another table's. */
  takeFrom(other: Slots, slot: number): number {
    const width = this.width;
    const taken = this.take();
    this.cursor.numbers.set(other.cursor.numbers.subarray(slot * width, (slot + 1) * width), taken * width);
    const state = this.at(taken);
    const source = other.at(slot);
    if (state instanceof RingLog && source instanceof RingLog) state.copyEntriesFrom(source.rings);
    else if (state instanceof CellCursor && source instanceof CellCursor) state.booked = source.booked;
    return taken;
  }

  #grow(): void {
    this.capacity *= 2;
    const numbers = new Float64Array(this.width * this.capacity);
    numbers.set(this.cursor.numbers);
    this.cursor.numbers = numbers;
    const used = new Uint32Array(this.capacity / 32);
    used.set(this.#used);
    this.#used = used;
  }
}
