/**
 * The cells of many keys, in typed arrays.
 *
 * A map finds a key's slot, and the slot's numbers lie in one array: no object a key.
 * A table of many keys is split into shards, since a map that grows or shrinks moves all
 * that it holds at once, which takes tens of milliseconds for a million keys.
 *
 * @module
 */
import type { Cell, Kernel, State } from "@sluice/core";
import { spread } from "./hash.js";
import { LOG_WIDTH, RingLog } from "./ring-log.js";
import { Rings } from "./rings.js";
import { Shard } from "./shard.js";

/** A table with more keys than this is split. */
const SPLIT_ABOVE = 16_384;
const SHARDS = 64;
/** How many keys in use eviction passes over before it takes one of them. */
const EVICTION_REACH = 64;

/** A cell seen through a cursor. */
class CellCursor implements Cell {
  numbers: Float64Array;
  offset = 0;

  constructor(width: number) {
    this.numbers = new Float64Array(width);
  }
}

/** Finds, adds and drops cells. The state that it gives out is a cursor, good until the next call. */
export class Table {
  /** The state of a key that is not there. */
  readonly blank: State;
  /** Keys that were dropped although their cells counted, to make room. */
  evictions = 0;
  /** Keys that are held. */
  size = 0;
  readonly #kernel: Kernel;
  readonly #maxKeys: number;
  readonly #width: number;
  readonly #cursor: CellCursor | RingLog;
  #shards: Shard[];
  /** The shard that eviction turns to next. */
  #turn = 0;
  /** Where the sweep stands: a shard, and the entries of it that are still to be seen. */
  #sweepShard = 0;
  #sweepEntries: Iterator<[string, number]> | undefined;

  constructor(kernel: Kernel, maxKeys: number) {
    const isLog = kernel.form === "log";
    this.#kernel = kernel;
    this.#maxKeys = maxKeys;
    this.#width = isLog ? LOG_WIDTH : kernel.width;
    this.#cursor = isLog ? new RingLog(new Rings()) : new CellCursor(kernel.width);
    this.blank = isLog ? new RingLog(new Rings()) : new CellCursor(kernel.width);
    this.#shards = [new Shard(this.#width)];
  }

  /** The state of a key, or `undefined` where it has none. */
  find(key: string): State | undefined {
    const shard = this.#shardOf(key);
    const slot = shard.slots.get(key);
    if (slot === undefined) return undefined;
    shard.used[slot] = 1;
    return this.#point(shard, slot);
  }

  /** Makes room for a key that is not there; gives back its state, all new. */
  add(key: string, now: number): State {
    if (this.size >= this.#maxKeys) this.#evict(now);
    if (this.size === SPLIT_ABOVE && this.#shards.length === 1) this.#distribute(SHARDS);
    const shard = this.#shardOf(key);
    const slot = shard.add(key);
    this.size++;
    return this.#point(shard, slot);
  }

  /** Drops one key. */
  delete(key: string): void {
    const shard = this.#shardOf(key);
    const slot = shard.slots.get(key);
    if (slot !== undefined) this.#drop(shard, key, slot);
  }

  /** Drops all keys and gives all memory back. */
  clear(): void {
    this.size = 0;
    this.#setShards([new Shard(this.#width)]);
  }

  /**
   * Drops cells that are as good as new, from where the last sweep stopped, until all
   * were seen or `pause` says to stop.
   *
   * @returns How many were dropped, and whether the end was reached.
   */
  sweep(now: number, pause: () => boolean): { dropped: number; done: boolean } {
    const before = this.size;
    while (this.#sweepShard < this.#shards.length) {
      const shard = this.#shards[this.#sweepShard] as Shard;
      this.#sweepEntries ??= shard.slots.entries();
      for (let step = this.#sweepEntries.next(); !step.done; step = this.#sweepEntries.next()) {
        const [key, slot] = step.value;
        if (this.#isNew(shard, slot, now)) this.#drop(shard, key, slot);
        if (pause()) return { dropped: before - this.size, done: false };
      }
      this.#sweepEntries = undefined;
      if (shard.sparse) this.#shards[this.#sweepShard] = this.#rebuild(shard);
      this.#sweepShard++;
    }
    this.#sweepShard = 0;
    if (this.#shards.length > 1 && this.size * 4 < SPLIT_ABOVE) this.#distribute(1);
    return { dropped: before - this.size, done: true };
  }

  #shardOf(key: string): Shard {
    const shards = this.#shards;
    return shards[shards.length === 1 ? 0 : spread(key, shards.length)] as Shard;
  }

  #point(shard: Shard, slot: number): State {
    const cursor = this.#cursor;
    cursor.numbers = shard.numbers;
    cursor.offset = slot * this.#width;
    if (cursor instanceof RingLog) cursor.rings = shard.rings;
    return cursor;
  }

  #isNew(shard: Shard, slot: number, now: number): boolean {
    return this.#kernel.reset(this.#point(shard, slot), now, 0) === 0;
  }

  #drop(shard: Shard, key: string, slot: number): void {
    const state = this.#point(shard, slot);
    if (state instanceof RingLog) state.release();
    shard.delete(key, slot);
    this.size--;
  }

  /**
   * Makes room for one key: the oldest that was not used since eviction last came by.
   *
   * This is SIEVE (Zhang et al., NSDI 2024): one bit a key, and a flood of new keys
   * evicts itself before it evicts those that keep coming.
   */
  #evict(now: number): void {
    for (let passed = 0; ; ) {
      this.#turn = (this.#turn + 1) % this.#shards.length;
      const shard = this.#shards[this.#turn] as Shard;
      const entry = shard.next();
      if (entry === undefined) continue;
      const [key, slot] = entry;
      const isNew = this.#isNew(shard, slot, now);
      if (!isNew && shard.used[slot] === 1 && passed < EVICTION_REACH) {
        shard.used[slot] = 0;
        passed++;
        continue;
      }
      if (!isNew) this.evictions++;
      this.#drop(shard, key, slot);
      return;
    }
  }

  /** Moves all cells into `count` shards. */
  #distribute(count: number): void {
    const shards = Array.from({ length: count }, () => new Shard(this.#width));
    for (const shard of this.#shards) {
      this.#move(shard, (key) => shards[count === 1 ? 0 : spread(key, count)] as Shard);
    }
    this.#setShards(shards);
  }

  #setShards(shards: Shard[]): void {
    this.#shards = shards;
    this.#sweepShard = 0;
    this.#sweepEntries = undefined;
    // What the cursor pointed at must not be kept alive by it.
    this.#point(shards[0] as Shard, 0);
  }

  #rebuild(shard: Shard): Shard {
    const rebuilt = new Shard(this.#width);
    this.#move(shard, () => rebuilt);
    this.#point(rebuilt, 0);
    return rebuilt;
  }

  #move(from: Shard, target: (key: string) => Shard): void {
    const width = this.#width;
    for (const [key, slot] of from.slots) {
      const to = target(key);
      const moved = to.add(key);
      to.used[moved] = from.used[slot] as number;
      to.numbers.set(from.numbers.subarray(slot * width, (slot + 1) * width), moved * width);
      const state = this.#point(to, moved);
      if (!(state instanceof RingLog)) continue;
      state.rings = from.rings;
      state.moveTo(to.rings);
    }
  }
}
