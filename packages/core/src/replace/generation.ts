import type { AbstractBucket, Snapshot } from "../abstract-bucket.js";
import type { Kernel, State } from "../algorithms/kernel.js";
import type { Mode, Outcome } from "../mode.js";

/** One list of rates of a bucket, with the cells under it: the bucket itself, or a sibling in its store. */
export interface Generation<M extends Mode> {
  readonly bucket: AbstractBucket<M>;
  /** The algorithm under its own rates. */
  readonly kernel: Kernel;
  /** A copy of one key's state, and the time. */
  read(key: string): Outcome<M, Snapshot>;
  /** Writes `to` where the state still is `from`, and says whether it was. */
  exchange(key: string, from: State, to: State): Outcome<M, boolean>;
  /** Answered once nothing is underway to the cells any more. */
  settled(): Outcome<M, void>;
  /** Lets go of cells that nobody else sees. */
  retire(): void;
  leak(now: number | undefined): Outcome<M, number>;
  sweep(budget: number): Outcome<M, boolean>;
  flush(key: string | undefined): Outcome<M, void>;
}
