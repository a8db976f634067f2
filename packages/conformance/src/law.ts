import type { AbstractBucket, Algorithm, Decision, ManualClock, Mode, RatesLike } from "@sluice/core";

/** A bucket under test, and the clock that it goes by. */
export interface Subject {
  readonly bucket: AbstractBucket<Mode>;
  readonly clock: ManualClock;
}

/** What a law has to work with. */
export interface LawContext {
  /** The algorithm under test. */
  readonly algorithm: Algorithm;
  /** How many random histories to try. */
  readonly runs: number;
  /** Opens an empty bucket; it is closed when the law is done. */
  open(rates: RatesLike): Promise<Subject>;
}

/** One thing that every bucket must do. */
export interface Law {
  /** The promise, as a sentence. */
  readonly name: string;
  /** Says whether an algorithm is bound by it; all are, when left out. */
  applies?(algorithm: Algorithm): boolean;
  /** Whether it is about booking ahead, which a store may leave out. */
  readonly books?: boolean;
  /** Whether it is about replacing rates, which a store may leave out. */
  readonly replaces?: boolean;
  /** Throws when the bucket breaks the law. */
  check(context: LawContext): Promise<void>;
}

/** Whether time gives units back bit by bit, and not all at once when a window ends. */
export function refillsContinuously({ name }: Algorithm): boolean {
  return name === "token-bucket" || name === "leaky-bucket";
}

/** Puts `weight` units for "ada". */
export async function put({ bucket }: Subject, weight = 1): Promise<Decision> {
  return await bucket.put({ key: "ada", weight });
}

/** How many of `tries` single units for `key` are admitted. */
export async function admitted({ bucket }: Subject, tries: number, key = "ada"): Promise<number> {
  let count = 0;
  for (let i = 0; i < tries; i++) {
    if ((await bucket.put({ key })).allowed) count++;
  }
  return count;
}
