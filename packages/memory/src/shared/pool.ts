import type { Records } from "./records.js";
import { FRESH, POOL, RECORD_BITS, type SharedMemory } from "./shared-memory.js";

const VERSION = 1n << BigInt(RECORD_BITS);
const RECORD = VERSION - 1n;

/**
 * Records that belong to no worker: those that were given back, in a stack, and those that nobody has had yet.
 *
 * The stack's word holds its first record beside a version that grows with
 * every change. So a word that has not changed means a stack that has not, although the
 * records in it may be written in as soon as somebody takes them.
 */
export class Pool {
  readonly #memory: SharedMemory;
  readonly #records: Records;

  constructor(memory: SharedMemory, records: Records) {
    this.#memory = memory;
    this.#records = records;
  }

  /** Takes up to `most` records that were given back, the last ones first. A pin may still be on them. */
  take(most: number): number[] {
    const { longs } = this.#memory;
    for (;;) {
      const word = Atomics.load(longs, POOL);
      const taken: number[] = [];
      let record = Number(word & RECORD);
      // What is read here may be of a later time; the exchange says.
      for (; record !== 0 && taken.length < most; record = this.#records.next(record)) taken.push(record);
      if (taken.length === 0 || this.#replace(word, record)) return taken;
    }
  }

  /** Takes `count` records that nobody has had; none when they run out. */
  takeFresh(count: number): number[] {
    const { ints, plan } = this.#memory;
    const first = Atomics.load(ints, FRESH);
    if (first + count > plan.records) return [];
    if (Atomics.compareExchange(ints, FRESH, first, first + count) !== first) return this.takeFresh(count);
    return Array.from({ length: count }, (_, i) => plan.firstRecord + (first + i) * plan.recordSize);
  }

  /** Gives records back. */
  give(records: readonly number[]): void {
    const first = records[0] as number;
    const last = records[records.length - 1] as number;
    for (let i = 1; i < records.length; i++) this.#records.setNext(records[i - 1] as number, records[i] as number);
    for (;;) {
      const word = Atomics.load(this.#memory.longs, POOL);
      this.#records.setNext(last, Number(word & RECORD));
      if (this.#replace(word, first)) return;
    }
  }

  #replace(word: bigint, first: number): boolean {
    const next = BigInt.asIntN(64, (word & ~RECORD) + VERSION) | BigInt(first);
    return Atomics.compareExchange(this.#memory.longs, POOL, word, next) === word;
  }
}
