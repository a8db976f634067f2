/**
 * What an algorithm is to the buckets: a kernel over the state of one key.
 *
 * Inside kernels, times are whole microseconds and units whole numbers. `now` may lie
 * before the state's own time: the item then counts as made at the state's time, and
 * waits are still told from `now`.
 *
 * @module
 */
import type { Rate } from "../rate.js";
import type { CarryStrategy } from "../replace/strategy.js";

/** The state of one key in a fixed number of numbers: those from `offset` on. All zero is a new cell. */
export interface Cell {
  /** Where the numbers lie, those of other cells beside them perhaps. */
  numbers: Float64Array;
  /** Index of the first. */
  offset: number;
  /** What can be given back of bookings, see `open-bookings.ts`; left out where that is nothing. Never written into, only replaced. */
  booked?: readonly number[] | undefined;
}

/** The state of one key that keeps an entry for each admitted item, oldest first. */
export interface Log {
  /** Entries that are kept. */
  readonly size: number;
  /** When entry `index` was admitted, in microseconds; entries never go back in time. */
  time(index: number): number;
  /** Units of the entries up to and including `index`; `total(-1)` is 0. */
  total(index: number): number;
  /** Adds an entry at the end. */
  append(time: number, weight: number): void;
  /** Forgets the `count` oldest entries. */
  dropOldest(count: number): void;
  /** Takes `units` back from the newest entries; entries left with none are forgotten. */
  dropNewest(units: number): void;
  /** Takes `units`, at most all, back from entry `index`, which is forgotten when left with none. */
  subtract(index: number, units: number): void;
}

/** What a bucket stores for one key. Only the kernel looks inside. */
export type State = Cell | Log;

/**
 * One algorithm under one list of rates.
 *
 * `fits`, `wait`, `left` and `reset` are pure; `admit`, `take` and `give` write the next state into the
 * state they are given and touch nothing else. A dialect of the kernel in another
 * language answers the same, always.
 */
export interface Kernel<S extends State = State> {
  /** What `fresh` makes: a cell of `width` numbers, or a log. */
  readonly form: "cell" | "log";
  /** Numbers a cell takes; 0 for a log. */
  readonly width: number;
  /** The rates, shortest interval first. */
  readonly rates: readonly Rate[];
  /** The rule in kebab case, by which a store finds its dialect of the kernel; algorithms that decide alike share one. */
  readonly rule: string;
  /** The numbers that the rule knows rate `rate` by: what a dialect of the kernel has to be told. */
  parameters(rate: number): readonly number[];
  /** The most units that rate `rate` admits at one instant. */
  capacity(rate: number): number;
  /** The state of a key that has never been seen. */
  fresh(): S;
  /** Whether `rate` admits `weight` (1 or more) units at `now`. */
  fits(state: S, now: number, weight: number, rate: number): boolean;
  /** Microseconds until `rate` would admit `weight` (1 or more) units that do not fit now; `Infinity` for never. */
  wait(state: S, now: number, weight: number, rate: number): number;
  /** Whole units that `rate` would admit at `now`; below 0 in debt. */
  left(state: S, now: number, rate: number): number;
  /** Microseconds until the state is as good as new, once `weight` more units were taken. */
  reset(state: S, now: number, weight: number): number;
  /** Takes units (1 or more) if every rate admits them, and says whether: a put of which only that is asked. */
  admit(state: S, now: number, weight: number): boolean;
  /** Takes units, whether they fit or not. */
  take(state: S, now: number, weight: number): void;
  /** Gives units back, never above full. */
  give(state: S, now: number, weight: number): void;
  /** Whether units can be booked ahead of their time; `book` and `unbook` are called only then. */
  readonly books: boolean;
  /** Microseconds until the last booking may be used: a later one must not come before it. */
  ahead(state: S, now: number): number;
  /**
   * Takes units at `now` that are to be used at `at`, which is when they fit, or later.
   *
   * @returns The number of the booking.
   */
  book(state: S, now: number, weight: number, at: number): number;
  /**
   * Takes a booking for `at` back, or a part of it: all is then as if that had never been booked.
   *
   * @param number What `book` returned.
   */
  unbook(state: S, now: number, weight: number, at: number, number: number): void;
  /** What counts at `now` in a state of a key under older rates of the same algorithm, as a state under these. */
  inherit(older: Kernel, state: State, now: number, strategy: CarryStrategy): S;
  /** Adds what counts in another state of the same key. */
  merge(state: S, part: S, now: number): void;
  /** Takes back what was merged, save what time has taken back already. */
  unmerge(state: S, part: S, now: number): void;
}

/**
 * A rule that says what fits. Pass one to a bucket: `{ algorithm: tokenBucket }`.
 */
export interface Algorithm {
  /** Its name in kebab case, as the command line and the stores write it. */
  readonly name: string;
  /** Makes the kernel for a sorted, valid list of rates. */
  compile(rates: readonly Rate[]): Kernel;
}

/** Refuses rates with a burst, for the algorithms that know none. */
export function refuseBursts(name: string, rates: readonly Rate[]): void {
  const rate = rates.find(({ limit, burst }) => burst !== limit);
  if (rate === undefined) return;
  throw new RangeError(
    `Cannot use "${rate}" with ${name}: only the token bucket and the leaky bucket take a burst. Leave the burst out or choose tokenBucket.`,
  );
}
