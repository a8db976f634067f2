import { Blocks } from "./blocks.js";
import { HitCounter } from "./hit-counter.js";
import type { OpenBucket } from "./open-bucket.js";

/** Counters for windows of any length, and who is shut out: opened when they are first asked for, and closed together. */
export class HitCounters {
  readonly #open: OpenBucket;
  readonly #counters = new Map<number, HitCounter>();
  #blocks: Blocks | undefined;

  constructor(open: OpenBucket) {
    this.#open = open;
  }

  /** Who is shut out. */
  get blocks(): Blocks {
    this.#blocks ??= new Blocks(this.#open);
    return this.#blocks;
  }

  /** The counter of a window of so many milliseconds. */
  of(window: number): HitCounter {
    let counter = this.#counters.get(window);
    if (counter === undefined) {
      counter = new HitCounter(this.#open, window);
      this.#counters.set(window, counter);
    }
    return counter;
  }

  /** Closes all buckets. */
  async close(): Promise<void> {
    const blocks = this.#blocks === undefined ? [] : [this.#blocks];
    await Promise.all([...this.#counters.values(), ...blocks].map((opened) => opened.close()));
  }
}
