import type { Cell } from "@sluice/core";
import type { SharedMemory } from "./shared-memory.js";

/** In words of 32 bits, behind three of the key's hash: which record follows. */
const NEXT = 3;
/** In words of 64 bits: where the numbers of the state begin. */
const STATE = 2;

/** The state in a record, seen through a cursor. */
class RecordCell implements Cell {
  offset = 0;

  constructor(
    readonly numbers: Float64Array,
    /** Where the rows of bookings begin, behind `offset`: their number comes first. 0 where there is no room for any. */
    readonly rows: number,
  ) {}

  get booked(): readonly number[] | undefined {
    if (this.rows === 0) return undefined;
    const at = this.offset + this.rows;
    const count = this.numbers[at] as number;
    return count === 0 ? undefined : [...this.numbers.subarray(at + 1, at + 1 + count)];
  }

  set booked(booked: readonly number[] | undefined) {
    if (this.rows === 0) return;
    const at = this.offset + this.rows;
    this.numbers[at] = booked?.length ?? 0;
    if (booked !== undefined) this.numbers.set(booked, at + 1);
  }
}

/**
 * The records: each the state of one key at one moment, and which record follows in its chain.
 *
 * A record goes by where it lies, in words of 64 bits; 0 stands for none. It is written
 * while it belongs to one worker alone, and never again from when a chain shows it until
 * it was taken out and nobody looks at it any more.
 */
export class Records {
  readonly #ints: Int32Array;
  readonly #floats: Float64Array;
  readonly #width: number;
  readonly #cursor: RecordCell;

  constructor({ ints, floats, plan }: SharedMemory) {
    this.#ints = ints;
    this.#floats = floats;
    this.#width = plan.width;
    this.#cursor = new RecordCell(floats, plan.room === 0 ? 0 : plan.width);
  }

  /** The record that follows in the chain; 0 for none. */
  next(record: number): number {
    return this.#ints[2 * record + NEXT] as number;
  }

  setNext(record: number, next: number): void {
    this.#ints[2 * record + NEXT] = next;
  }

  /** Whether a record of a key's bucket is that key's own. */
  isOf(record: number, hashes: Int32Array, place: number): boolean {
    const ints = this.#ints;
    const at = 2 * record;
    return ints[at] === hashes[place + 1] && ints[at + 1] === hashes[place + 2] && ints[at + 2] === hashes[place + 3];
  }

  /** Writes into a record whose it is: the hash, all but its first word, which chose the bucket. */
  setKey(record: number, hashes: Int32Array, place: number): void {
    const ints = this.#ints;
    const at = 2 * record;
    ints[at] = hashes[place + 1] as number;
    ints[at + 1] = hashes[place + 2] as number;
    ints[at + 2] = hashes[place + 3] as number;
  }

  /** Reads out of a record whose it is. */
  getKey(record: number, hash: Int32Array): void {
    for (let i = 0; i < 3; i++) hash[i + 1] = this.#ints[2 * record + i] as number;
  }

  /** The state in a record: a cursor, good until the next call. */
  state(record: number): Cell {
    this.#cursor.offset = record + STATE;
    return this.#cursor;
  }

  /** Copies the state of one record into another, or that of a new key where there is none. */
  copyState(from: number, to: number): void {
    const floats = this.#floats;
    const end = to + STATE + this.#width;
    if (from === 0) floats.fill(0, to + STATE, end);
    else for (let i = to + STATE; i < end; i++) floats[i] = floats[i - to + from] as number;
    if (this.#cursor.rows === 0) return;
    const booked = from === 0 ? undefined : this.state(from).booked;
    this.state(to).booked = booked;
  }

  /** Copies a record, all but what follows. */
  copy(from: number, to: number): void {
    this.setKey(to, this.#ints, 2 * from - 1);
    this.copyState(from, to);
  }
}
