/**
 * The bucket: what every store is to its callers, and what a store must bring.
 *
 * @module
 */
import type { Algorithm, Kernel, Log, State } from "./algorithms/kernel.js";
import { type Booked, type Operation, unitsInUse } from "./algorithms/operate.js";
import { type BucketOptions, checkBucketOptions } from "./bucket-options.js";
import { atLeast0 } from "./check-number.js";
import type { AbstractClock } from "./clock/abstract-clock.js";
import type { Decision } from "./decision.js";
import { toMicroseconds, toMilliseconds } from "./duration.js";
import { LimiterError } from "./errors.js";
import { checkItem, checkKey, checkTimestamp, checkWeight, type Entry, type RateItem } from "./item.js";
import { andThen, failed, inOrder, lift, type Mode, type Outcome } from "./mode.js";
import { describe, type Rate, type RatesLike } from "./rate.js";
import type { Generation } from "./replace/generation.js";
import { checkStrategy, type ReplaceStrategy, shareKept } from "./replace/strategy.js";
import { Succession } from "./replace/succession.js";
import { validateRates } from "./validate-rates.js";

/** Units that were booked ahead, or the refusal to book them. */
export interface Booking {
  /** The answer: `allowed` says whether they were booked, and `retryAfter` how long until they may be used. */
  readonly decision: Decision;
  /** When they may be used, in milliseconds on the bucket's clock. */
  readonly at: number;
  /** By which its key knows it: higher than those of all bookings before it; 0 where nothing was booked, and in a log, where `at` says enough. */
  readonly number: number;
}

/** Microseconds of the longest wait that a booking may have, some 285 years: beyond, a store could not count them. */
const LONGEST_WAIT = Number.MAX_SAFE_INTEGER;

/** Is told that rates were replaced, with the share of the units in use that surely still counts. */
export type ReplaceListener = (share: number) => void;

/** One key at one moment. */
export interface Snapshot {
  /** Microseconds on the bucket's clock. */
  readonly now: number;
  /** The key's state then, a copy; a fresh one for a key that has none. */
  readonly state: State;
}

/**
 * The state of many keys under one list of rates and one algorithm, in one store.
 *
 * The public methods check what they are given and fill in what is left out; a store
 * overrides the protected twins (`_apply`, `_read`, ...), which receive only sound
 * arguments. A put decides all rates first and then commits all of them, in one atomic
 * step; a refusal changes nothing.
 *
 * Wrong arguments throw TypeError or RangeError, a closed bucket {@link LimiterError} with
 * the code `CLOSED`; in mode `"async"` these are rejections.
 *
 * @example
 * ```ts
 * import { InMemoryBucket } from "@sluice/memory";
 *
 * using bucket = new InMemoryBucket("100/min");
 * bucket.put({ key: "ada", weight: 5 }).remaining; // => 95
 * bucket.refund({ key: "ada", weight: 2 }).remaining; // => 97
 * bucket.count("ada"); // => 3
 * ```
 */
export abstract class AbstractBucket<M extends Mode> {
  /** Whether the bucket answers at once or by promises. */
  readonly mode: M;
  /** What decides. */
  readonly algorithm: Algorithm;
  /** Where waiters take their timers from, and instants where the store has no clock of its own. */
  readonly clock: AbstractClock<Mode>;
  /** The rates that this store was made with, whatever came after them. */
  protected readonly _rates: readonly Rate[];
  /** The algorithm under them: what the store runs over its state. */
  protected readonly _kernel: Kernel;
  /** The capacity under them. */
  protected readonly _capacity: number;
  #closing: Outcome<M, void> | undefined;
  #closed = false;
  /** Whether calls go straight to the store: it is open, and its rates are the newest. */
  #direct = true;
  #succession: Succession<M> | undefined;
  readonly #replaceListeners = new Set<ReplaceListener>();

  /** @param rates One rate or several, see {@link validateRates}. */
  constructor(mode: M, rates: RatesLike, options: BucketOptions = {}) {
    this.mode = mode;
    this._rates = validateRates(rates);
    const { algorithm, clock } = checkBucketOptions(options);
    this.algorithm = algorithm;
    this.clock = clock;
    this._kernel = this.algorithm.compile(this._rates);
    this._capacity = Math.min(...this._rates.map((_, rate) => this._kernel.capacity(rate)));
  }

  /** The rates, shortest interval first. */
  get rates(): readonly Rate[] {
    return this.kernel.rates;
  }

  /** The algorithm under these rates. */
  get kernel(): Kernel {
    return this.#succession?.current.kernel ?? this._kernel;
  }

  /** The most units that all rates together admit at one instant: what weighs more never fits. */
  get capacity(): number {
    return this.#succession?.current.bucket._capacity ?? this._capacity;
  }

  /** Takes the item's units if every rate admits them, else changes nothing. */
  put(item: RateItem): Outcome<M, Decision> {
    return this.#operate("put", item);
  }

  /** Puts items in order, each deciding on what the ones before it left, in as few trips as the store allows. */
  putMany(items: readonly RateItem[]): Outcome<M, Decision[]> {
    let entries: Entry[];
    try {
      this.#checkOpen("put");
      if (!Array.isArray(items)) throw new TypeError(`Cannot put ${describe(items)}: putMany takes a list of items.`);
      entries = items.map((item) => checkItem("put", item));
    } catch (error) {
      return failed(this.mode, error);
    }
    const keys = this.#direct ? [] : entries.map(({ key }) => key);
    return this.#on(keys, (bucket) => bucket._applyAll("put", entries));
  }

  /** Like {@link put} with the same answer, but says only whether the item was admitted: where speed counts. */
  tryPut(key: string, weight = 1): Outcome<M, boolean> {
    // Sound arguments go straight through; all others to where the errors are made.
    if (!this.#direct || typeof key !== "string" || weight >>> 0 !== weight) return this.#checkedTryPut(key, weight);
    return this._tryPut(key, weight);
  }

  /** Answers as {@link put} would, and changes nothing. */
  peek(item: RateItem): Outcome<M, Decision> {
    return this.#operate("peek", item);
  }

  /** Takes the units without asking, into debt where they do not fit: for work already done. */
  charge(item: RateItem): Outcome<M, Decision> {
    return this.#operate("charge", item);
  }

  /** Gives units back, the newest first, and never above full. */
  refund(item: RateItem): Outcome<M, Decision> {
    return this.#operate("refund", item);
  }

  /**
   * Whether units can be booked ahead: by the token bucket, the leaky bucket and the log,
   * in a store that knows how.
   */
  get reserves(): boolean {
    return this.kernel.books && this._reserve !== undefined;
  }

  /**
   * Books the earliest admission of the item, after all that were booked before, if that
   * is no more than `maxWait` milliseconds away; else changes nothing.
   *
   * @throws RangeError where this bucket cannot (see {@link reserves}).
   */
  reserve(item: RateItem, maxWait = Number.POSITIVE_INFINITY): Outcome<M, Booking> {
    let entry: Entry;
    try {
      this.#checkReserves();
      this.#checkOpen("reserve");
      entry = checkItem("reserve", item);
      atLeast0("maxWait", maxWait);
    } catch (error) {
      return failed(this.mode, error);
    }
    const longest = Math.min(Math.floor(maxWait * 1000), LONGEST_WAIT);
    const booked = this.#on([entry.key], (bucket) => bucket._reserve?.(entry, longest) as Outcome<M, Booked>);
    return andThen(this.mode, booked, ({ decision, at, number }: Booked) => ({
      decision,
      at: toMilliseconds(at),
      number,
    }));
  }

  /**
   * Takes back a booking that {@link reserve} made, or a part of it: all is then as if that had
   * never been booked, whatever came since and in whatever order bookings are taken back.
   * So what would have flowed back without it too is not given a second time.
   *
   * Under the token bucket and the leaky bucket this is exact where no more than 63 bookings of a
   * key are open at once; beyond, less may come back, never more. The bucket does not know
   * how much of a booking was taken back before: take back no more than there was, and nothing after a `flush`.
   *
   * @param item Units as they count now: after rates were replaced by `"proportional"`, their share.
   * @param booking What `reserve` answered.
   */
  cancel(item: RateItem, booking: Pick<Booking, "at" | "number"> & Partial<Booking>): Outcome<M, Decision> {
    let entry: Entry;
    let at: number;
    try {
      this.#checkReserves();
      this.#checkOpen("cancel");
      entry = checkItem("cancel", item);
      at = checkBooking(entry.key, booking);
    } catch (error) {
      return failed(this.mode, error);
    }
    const { number } = booking;
    return this.#on([entry.key], (bucket) => bucket._cancel?.(entry, at, number) as Outcome<M, Decision>);
  }

  /** Milliseconds until the item would fit: 0 for at once, `Infinity` for never. */
  waiting(item: RateItem): Outcome<M, number> {
    return andThen(this.mode, this.#operate("peek", item), (decision: Decision) => decision.retryAfter);
  }

  /** Units that count at this moment: the most that any rate has in use, fractions counted up. */
  count(key: string): Outcome<M, number> {
    return andThen(this.mode, this.read(key), ({ state, now }: Snapshot) => unitsInUse(this.kernel, state, now));
  }

  /**
   * The items that count at this moment, newest first.
   *
   * @throws TypeError for an algorithm that keeps counts and not items: all but the log.
   */
  items(key: string): Outcome<M, RateItem[]> {
    if (this.kernel.form !== "log") {
      const rule = `${this.algorithm.name} keeps counts and not items. Use slidingWindowLog, or count().`;
      return failed(this.mode, new TypeError(`Cannot list the items of a bucket: ${rule}`));
    }
    return andThen(this.mode, this.read(key), ({ state, now }: Snapshot) =>
      listItems(key, state as Log, now, this.rates),
    );
  }

  /**
   * Drops the cells that are as good as new; no later decision changes by it.
   *
   * @param now Milliseconds on the bucket's clock; left out, its clock decides.
   * @returns How many were dropped.
   */
  leak(now?: number): Outcome<M, number> {
    let at: number | undefined;
    try {
      this.#checkOpen("leak");
      at = now === undefined ? undefined : checkTimestamp(now);
    } catch (error) {
      return failed(this.mode, error);
    }
    return this.#succession === undefined ? this._leak(at) : this.#succession.leak(at);
  }

  /**
   * Drops cells as {@link leak} does, but for about `budget` milliseconds at most.
   *
   * @returns Whether there is more to do. The {@link Leaker} calls it from time to time.
   */
  sweep(budget: number): Outcome<M, boolean> {
    if (this.#closed) return lift(this.mode, false);
    return this.#succession === undefined ? this._sweep(budget) : this.#succession.sweep(budget);
  }

  /** Forgets one key, or all keys when none is named: they start anew. */
  flush(key?: string): Outcome<M, void> {
    try {
      this.#checkOpen("flush");
      if (key !== undefined) checkKey("flush", key);
    } catch (error) {
      return failed(this.mode, error);
    }
    return this.#succession === undefined ? this._flush(key) : this.#succession.flush(key);
  }

  /** The time on the bucket's clock in milliseconds. */
  now(): Outcome<M, number> {
    return andThen(this.mode, this._now(), (us: number) => toMilliseconds(us));
  }

  /** One key's state and the time, for asking the kernel "what if". */
  read(key: string): Outcome<M, Snapshot> {
    try {
      this.#checkOpen("read");
      checkKey("read", key);
    } catch (error) {
      return failed(this.mode, error);
    }
    return this.#on([key], (bucket) => bucket._read(key));
  }

  /**
   * Decides by other rates from now on: `rates`, `kernel` and `capacity` are theirs.
   *
   * Under `"reset"` every key starts anew. Under `"keep"` what was used stays used, and what
   * is booked stays booked; under `"proportional"` as much of the new capacity as it was of
   * the old one, rounded up. Each new rate takes over from the old one of the same interval,
   * else from the next shorter one, else from the shortest. The algorithm stays.
   *
   * Keys are carried over one by one, when they first come, until two capacities of the old
   * rates have flowed back; a debt, or a booking, from further away is then forgotten with
   * its key. In a store that several processes share each has to be told: until then it goes
   * on under the old rates, and what it has used there is added when it follows.
   *
   * Where older rates come back within that time, keys that came meanwhile have gone through
   * the rates between; those that did not are as if there had been none between. After a
   * reset nothing comes back: it drops what counted under all rates before.
   *
   * @throws RangeError where the store cannot, or the rates do not go together; TypeError
   *   for what is no rate or no strategy.
   *
   * @example
   * ```ts
   * import { tokenBucket } from "@sluice/core";
   * import { InMemoryBucket } from "@sluice/memory";
   *
   * using bucket = new InMemoryBucket("100/min", { algorithm: tokenBucket });
   * bucket.put({ key: "ada", weight: 60 });
   * bucket.replaceRates("1000/min", "keep");
   * bucket.put({ key: "ada" }).remaining; // => 939
   * ```
   */
  replaceRates(rates: RatesLike, strategy: ReplaceStrategy): Outcome<M, void> {
    try {
      this.#checkOpen("replace the rates");
      const older = this.kernel;
      const replaced = this._replaceRates(validateRates(rates), checkStrategy(strategy));
      const share = shareKept(this.kernel, older, strategy);
      for (const listener of [...this.#replaceListeners]) listener(share);
      return replaced;
    } catch (error) {
      return failed(this.mode, error);
    }
  }

  /**
   * Calls a listener whenever the rates were replaced through this bucket, with the share of
   * the units in use that surely still counts: 1 when they are kept, 0 after a reset.
   *
   * @returns A function that takes the listener back.
   */
  onReplaceRates(listener: ReplaceListener): () => void {
    this.#replaceListeners.add(listener);
    return () => this.#replaceListeners.delete(listener);
  }

  /** Lets go of what the bucket holds. Further calls of it do nothing; further puts fail with `CLOSED`. */
  close(): Outcome<M, void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#direct = false;
      const others = this.#succession?.close(this);
      this.#closing = others === undefined ? this._close() : andThen(this.mode, others, () => this._close());
    }
    return this.#closing as Outcome<M, void>;
  }

  /** Closes the bucket at the end of a `using` block. */
  [Symbol.dispose](this: AbstractBucket<"sync">): void {
    this.close();
  }

  /** Closes the bucket at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The bucket itself, and its siblings of other rates where these were replaced: of all of them there may be cells. */
  protected get _generations(): readonly AbstractBucket<M>[] {
    return this.#succession?.generations.map(({ bucket }) => bucket) ?? [this];
  }

  /** Carries out one operation on one cell, in one atomic step. */
  protected abstract _apply(operation: Operation, entry: Entry): Outcome<M, Decision>;

  /** Carries out one operation on several entries in order; in one trip, where the store can. */
  protected _applyAll(operation: Operation, entries: readonly Entry[]): Outcome<M, Decision[]> {
    return inOrder(this.mode, entries, (entry) => this._apply(operation, entry));
  }

  /** A put of which only the yes or no is asked. */
  protected _tryPut(key: string, weight: number): Outcome<M, boolean> {
    const entry = { key, weight, at: undefined };
    return andThen(this.mode, this._apply("put", entry), (decision: Decision) => decision.allowed);
  }

  /** Books units in one atomic step, if they fit within `maxWait` whole microseconds. A store that has it has `_cancel` too. */
  protected _reserve?(entry: Entry, maxWait: number): Outcome<M, Booked>;

  /** Takes back units that were booked for `at`, in one atomic step; see {@link Kernel.unbook}. */
  protected _cancel?(entry: Entry, at: number, number: number): Outcome<M, Decision>;

  /** A copy of one key's state (a fresh one where there is none), and the time. */
  protected abstract _read(key: string): Outcome<M, Snapshot>;

  /**
   * A bucket of other rates in the same store: with the same name, algorithm and clock. It
   * owns nothing that this one has to close. A store that has it has `_exchange` too, and
   * goes by `_rates`, `_kernel` and `_capacity`, which stay its own.
   */
  protected _reopen?(rates: readonly Rate[]): AbstractBucket<M>;

  /**
   * Writes `to` as the state of a key where that still is `from`, as `_read` gave it, in one
   * atomic step, and says whether it was. A fresh state is that of a key that has none.
   */
  protected _exchange?(key: string, from: State, to: State): Outcome<M, boolean>;

  /** Answered once no call is underway to the store. */
  protected _settled(): Outcome<M, void> {
    return lift(this.mode, undefined);
  }

  /** Lets go of the cells that nobody else sees: other rates have taken over. */
  protected _retire(): void {}

  /** Decides by other rates from now on. */
  protected _replaceRates(rates: readonly Rate[], strategy: ReplaceStrategy): Outcome<M, void> {
    if (this._reopen === undefined) {
      const way = "Open a bucket of the new rates in its place.";
      throw new RangeError(`Cannot replace the rates of this bucket: its store cannot carry units over. ${way}`);
    }
    const succession = this.#succession ?? new Succession(this.mode, this.clock, this.#generation());
    const next = succession.find(rates) ?? this._reopen(rates).#generation();
    this.#succession = succession;
    this.#direct = false;
    return succession.replace(next, strategy);
  }

  /** Drops the cells that are as good as new at `now` (microseconds) and says how many. */
  protected abstract _leak(now: number | undefined): Outcome<M, number>;

  /** Drops cells for about `budget` ms and says whether there is more to do. */
  protected _sweep(_budget: number): Outcome<M, boolean> {
    return andThen(this.mode, this._leak(undefined), () => false);
  }

  /** Forgets one key, or all. */
  protected abstract _flush(key: string | undefined): Outcome<M, void>;

  /** The time in microseconds. */
  protected _now(): Outcome<M, number> {
    return andThen(this.mode, lift(this.mode, this.clock.now()), (ms: number) => toMicroseconds(ms));
  }

  /** Lets go of what the store holds; called once. */
  protected _close(): Outcome<M, void> {
    return lift(this.mode, undefined);
  }

  #checkedTryPut(key: string, weight: number): Outcome<M, boolean> {
    try {
      this.#checkOpen("put");
      checkKey("put", key);
      checkWeight("put", weight, key);
    } catch (error) {
      return failed(this.mode, error);
    }
    return this.#on([key], (bucket) => bucket._tryPut(key, weight));
  }

  #operate(operation: Operation, item: RateItem): Outcome<M, Decision> {
    let entry: Entry;
    try {
      this.#checkOpen(operation);
      entry = checkItem(operation, item);
    } catch (error) {
      return failed(this.mode, error);
    }
    // Without a function for `#on`, which takes time.
    if (this.#succession === undefined) return this._apply(operation, entry);
    return this.#on([entry.key], (bucket) => bucket._apply(operation, entry));
  }

  /** Does something in the store of the newest rates, where the keys are then. */
  #on<T>(keys: readonly string[], run: (bucket: AbstractBucket<M>) => Outcome<M, T>): Outcome<M, T> {
    return this.#succession === undefined ? run(this) : this.#succession.on(keys, run);
  }

  /** Its protected twins, for carrying keys over from them and to them. */
  #generation(): Generation<M> {
    return {
      bucket: this,
      kernel: this._kernel,
      read: (key) => this._read(key),
      exchange: (key, from, to) => this._exchange?.(key, from, to) as Outcome<M, boolean>,
      settled: () => this._settled(),
      retire: () => this._retire(),
      leak: (now) => this._leak(now),
      sweep: (budget) => this._sweep(budget),
      flush: (key) => this._flush(key),
    };
  }

  #checkReserves(): void {
    if (this.reserves) return;
    const rule = this.kernel.books
      ? "its store does not book ahead, as a SharedMemoryBucket does only with { bookings: true }"
      : `${this.algorithm.name} cannot tell when units will be there`;
    const way = this.kernel.books ? "Use one that does" : "Use tokenBucket or slidingWindowLog";
    throw new RangeError(`Cannot reserve in this bucket: ${rule}. ${way}, or acquire().`);
  }

  #checkOpen(action: string): void {
    if (this.#closed) throw new LimiterError("CLOSED", `Cannot ${action}: the bucket is closed. Open a new one.`);
  }
}

/** When the units of a booking may be used, in microseconds. */
function checkBooking(key: string, booking: Partial<Booking>): number {
  const { at, number, decision } = booking ?? {};
  if (typeof at !== "number" || !Number.isSafeInteger(number) || (number as number) < 0) {
    const rule = `${describe(booking)} is no booking. Pass what reserve() answered.`;
    throw new TypeError(`Cannot cancel for ${describe(key)}: ${rule}`);
  }
  if (decision?.allowed === false) {
    throw new RangeError(`Cannot cancel for ${describe(key)}: the booking was refused. Cancel only what was booked.`);
  }
  return checkTimestamp(at);
}

function listItems(key: string, log: Log, now: number, rates: readonly Rate[]): RateItem[] {
  const items: RateItem[] = [];
  const longest = toMicroseconds((rates[rates.length - 1] as Rate).interval);
  for (let i = log.size - 1; i >= 0 && log.time(i) + longest > now; i--) {
    const weight = log.total(i) - log.total(i - 1);
    items.push({ key, weight, timestamp: toMilliseconds(log.time(i)) });
  }
  return items;
}
