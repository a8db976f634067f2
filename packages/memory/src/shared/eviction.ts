import type { Kernel } from "@sluice/core";
import type { Chains } from "./chains.js";
import { HASH } from "./known-keys.js";
import type { Records } from "./records.js";
import { EVICTION_HAND, EVICTIONS, type SharedMemory } from "./shared-memory.js";

/** How many keys are looked at before the one that loses least is taken. */
const SAMPLE = 16;
/** How many samples are looked at for one key that comes. */
const TRIES = 4;

/**
 * Makes room when there are too many keys: looks at a sample of them, which begins where the last one ended, and
 * drops what is as good as new, else the key that would be so soonest.
 */
export class Eviction {
  readonly #memory: SharedMemory;
  readonly #kernel: Kernel;
  readonly #records: Records;
  readonly #chains: Chains;
  /** The hash of the key that loses least so far, its bucket, and how long it would take to be as good as new. */
  readonly #victim = new Int32Array(HASH);
  #bucket = 0;
  #least = 0;

  constructor(memory: SharedMemory, kernel: Kernel, records: Records, chains: Chains) {
    this.#memory = memory;
    this.#kernel = kernel;
    this.#records = records;
    this.#chains = chains;
  }

  /** Drops keys while there are too many, but not the one whose hash stands in `hashes` at `newest`. */
  makeRoom(now: number, hashes: Int32Array, newest: number): void {
    // Other workers may add keys meanwhile: they make room for them, and nobody runs after them for ever.
    for (let tries = 0; tries < TRIES && this.#isFull(); tries++) {
      this.#least = Number.POSITIVE_INFINITY;
      this.#look(now, hashes, newest);
      if (this.#isFull() && this.#least < Number.POSITIVE_INFINITY) this.#dropVictim();
    }
  }

  #isFull(): boolean {
    return this.#memory.size > this.#memory.plan.maxKeys;
  }

  /** Drops what is as good as new in a sample and notes who loses least. */
  #look(now: number, hashes: Int32Array, newest: number): void {
    const { ints, words } = this.#memory;
    let seen = 0;
    for (let looked = 0; seen < SAMPLE && looked < words.length; looked++) {
      const bucket = Atomics.add(ints, EVICTION_HAND, 1) & (words.length - 1);
      this.#chains.prune(bucket, (record) => {
        if (this.#records.isOf(record, hashes, newest)) return false;
        seen++;
        const rest = this.#kernel.reset(this.#records.state(record), now, 0);
        if (rest > 0 && rest < this.#least) this.#note(bucket, record, rest);
        return rest === 0;
      });
    }
  }

  #note(bucket: number, record: number, rest: number): void {
    this.#bucket = bucket;
    this.#least = rest;
    this.#records.getKey(record, this.#victim);
  }

  #dropVictim(): void {
    const dropped = this.#chains.prune(this.#bucket, (record) => this.#records.isOf(record, this.#victim, 0));
    if (dropped === 1) Atomics.add(this.#memory.longs, EVICTIONS, 1n);
  }
}
