import type { Cell, Kernel } from "@sluice/core";
import { Chains } from "./chains.js";
import { Eviction } from "./eviction.js";
import { HASH, KnownKeys } from "./known-keys.js";
import { Pool } from "./pool.js";
import { Records } from "./records.js";
import type { Seat } from "./seat.js";
import { EVICTIONS, SECRET, type SharedMemory, SWEEP_HAND } from "./shared-memory.js";
import { SpareRecords } from "./spare-records.js";

/** Hash buckets that a sweep looks at between two looks at the clock. */
const STRIDE = 64;

/** The cells of many keys in shared memory, as one worker sees them. */
export class SharedTable {
  readonly #memory: SharedMemory;
  readonly #kernel: Kernel;
  readonly #records: Records;
  readonly #chains: Chains;
  readonly #eviction: Eviction;
  readonly #seat: Seat;
  readonly #keys: KnownKeys;
  /** Finds the bucket in the first word of a hash. */
  readonly #mask: number;
  /** Where the hash of the key that was opened last begins. */
  #place = 0;
  /** Where the sweep that is under way ends; `undefined` when none is. */
  #sweepEnd: number | undefined;

  constructor(memory: SharedMemory, kernel: Kernel, seat: Seat) {
    this.#memory = memory;
    this.#kernel = kernel;
    this.#seat = seat;
    this.#records = new Records(memory);
    const spare = new SpareRecords(seat, new Pool(memory, this.#records), memory.plan.maxWorkers);
    this.#chains = new Chains(memory, this.#records, seat, spare);
    this.#eviction = new Eviction(memory, kernel, this.#records, this.#chains);
    this.#keys = new KnownKeys(memory.ints.slice(SECRET, SECRET + HASH), memory.plan.maxKeys);
    this.#mask = memory.words.length - 1;
  }

  /** Keys that are held. */
  get size(): number {
    return this.#memory.size;
  }

  /** Keys that were dropped although their cells counted, to make room. */
  get evictions(): number {
    return Number(Atomics.load(this.#memory.longs, EVICTIONS));
  }

  /** Says where to find a key, for `open`; good until another key is found. */
  find(key: string): number {
    return this.#keys.find(key);
  }

  /**
   * The next state of a key, which nobody else sees and which begins as its present one: a cursor, good until
   * `confirm` or `commit`. When that fails, another worker has changed something: open again and decide anew.
   */
  open(place: number): Cell {
    this.#place = place;
    const { hashes } = this.#keys;
    return this.#records.state(this.#chains.open((hashes[place] as number) & this.#mask, hashes, place));
  }

  /** Leaves the state as it was. */
  confirm(): boolean {
    return this.#chains.confirm();
  }

  /** Makes the next state the present one. */
  commit(now: number): boolean {
    const isNew = this.#chains.isNew;
    if (!this.#chains.commit(this.#keys.hashes, this.#place)) return false;
    if (isNew) this.#eviction.makeRoom(now, this.#keys.hashes, this.#place);
    return true;
  }

  /** Drops one key. */
  delete(key: string): void {
    const place = this.#keys.find(key);
    const { hashes } = this.#keys;
    this.#prune(hashes[place] as number, (record) => this.#records.isOf(record, hashes, place));
  }

  /** Drops all keys, one bucket after another. */
  clear(): void {
    for (let bucket = 0; bucket <= this.#mask; bucket++) this.#prune(bucket, () => true);
  }

  /** Drops all cells that are as good as new; gives back how many. */
  leak(now: number): number {
    let dropped = 0;
    for (let bucket = 0; bucket <= this.#mask; bucket++) dropped += this.#dropOld(bucket, now);
    return dropped;
  }

  /**
   * Drops cells that are as good as new from where the last sweep of any worker stopped, once around or until
   * `pause` says to stop. Workers that sweep at the same time share the work.
   *
   * @returns Whether it came around.
   */
  sweep(now: number, pause: () => boolean): boolean {
    const { ints } = this.#memory;
    const end = this.#sweepEnd ?? (Atomics.load(ints, SWEEP_HAND) + this.#mask + 1) | 0;
    for (;;) {
      const from = Atomics.add(ints, SWEEP_HAND, STRIDE);
      for (let i = 0; i < STRIDE; i++) this.#dropOld(from + i, now);
      const isAround = ((from + STRIDE - end) | 0) >= 0;
      this.#sweepEnd = isAround ? undefined : end;
      if (isAround || pause()) return isAround;
    }
  }

  /** Lets the seat go. */
  close(): void {
    this.#seat.leave();
  }

  #dropOld(bucket: number, now: number): number {
    return this.#prune(bucket, (record) => this.#rest(record, now) === 0);
  }

  /** Drops records of a bucket, whatever other workers do meanwhile; gives back how many. */
  #prune(hash: number, drop: (record: number) => boolean): number {
    const bucket = hash & this.#mask;
    if (Atomics.load(this.#memory.words, bucket) === 0) return 0;
    for (;;) {
      const dropped = this.#chains.prune(bucket, drop);
      if (dropped !== undefined) return dropped;
    }
  }

  /** Microseconds until a record is as good as new. */
  #rest(record: number, now: number): number {
    return this.#kernel.reset(this.#records.state(record), now, 0);
  }
}
