/**
 * What the buckets of all stores across a wire have in common: trips, deadlines, errors and closing.
 *
 * @module
 */
import { AbstractBucket } from "../abstract-bucket.js";
import type { Booked, Operation } from "../algorithms/operate.js";
import type { BucketOptions } from "../bucket-options.js";
import { cellPrefix, DEFAULT_BUCKET_NAME } from "../cell-name.js";
import { moreThan0, wholeAtLeast } from "../check-number.js";
import type { AbstractClock } from "../clock/abstract-clock.js";
import { systemElapsed } from "../clock/system-timer.js";
import type { Decision } from "../decision.js";
import { toMicroseconds } from "../duration.js";
import { StoreError } from "../errors.js";
import { inTime } from "../in-time.js";
import type { Entry } from "../item.js";
import type { Mode } from "../mode.js";
import { outside } from "../outside.js";
import { describe, type RatesLike } from "../rate.js";
import { type Call, CancelCall, DecisionCall, ReserveCall, TryCall } from "./call.js";
import { Lanes } from "./lanes.js";
import { type CellAnswer, type CellSteps, Trip } from "./trip.js";

/** What every bucket across a wire can be told. */
export interface RemoteBucketOptions extends BucketOptions {
  /**
   * What the bucket is for, such as `"sign-in"`; `"default"` when left out. Buckets of one
   * store share cells when their names, algorithms and rates are the same.
   */
  readonly name?: string;
  /** How many milliseconds the store may take for one operation; 5000 when left out. */
  readonly timeout?: number;
  /** How many operations ride together in one trip at most; 500 when left out. */
  readonly maxTrip?: number;
}

const DEFAULT_TIMEOUT = 5000;
const DEFAULT_MAX_TRIP = 500;

/**
 * A bucket whose cells lie in a store across a wire.
 *
 * Operations ride in trips: the first goes at once, those that come while a trip is
 * underway ride the next together, in order. So the store decides one at a time, and yet
 * as many as there are; no timer is added and no latency. Whoever waits longer than
 * `timeout` is told so by a {@link StoreError} with the code `STORE_TIMEOUT`; what the
 * store's driver throws comes as the `cause` of one with the code `STORE`.
 *
 * A store overrides `_send` and the rest of the protected twins; `_ask` guards what it
 * asks of its driver outside of trips.
 */
export abstract class RemoteBucket extends AbstractBucket<"async"> {
  /** The words that the names of all cells of this bucket begin with, see {@link cellPrefix}. */
  protected readonly _prefix: string;
  /** How many milliseconds the store may take for one operation. */
  protected readonly _timeout: number;
  /** Whether the store's own clock decides the time; else `clock` does. */
  protected readonly _storeTime: boolean;
  readonly #store: string;
  readonly #lanes: Lanes;
  readonly #asked = new Set<Promise<unknown>>();

  /**
   * @param store The name of the store, for the errors.
   * @param clock The store's own clock, used where the options name none.
   */
  constructor(store: string, rates: RatesLike, options: RemoteBucketOptions, clock: AbstractClock<Mode>) {
    super("async", rates, { ...options, clock: options.clock ?? clock });
    this.#store = store;
    this._prefix = cellPrefix(options.name ?? DEFAULT_BUCKET_NAME, this.algorithm, this._rates);
    this._timeout = moreThan0("timeout", options.timeout ?? DEFAULT_TIMEOUT);
    this._storeTime = options.clock === undefined;
    this.#lanes = new Lanes({
      maxTrip: wholeAtLeast(1, "maxTrip", options.maxTrip ?? DEFAULT_MAX_TRIP),
      timeout: this._timeout,
      carry: (calls) => this.#carry(new Trip(calls)),
      refuse: (call) => call.reject(this.#lateError(call.operation)),
      onGivenUp: () => this._giveUp(),
    });
  }

  /**
   * Carries out the steps of several keys in one trip, each key's steps in one atomic step of the store.
   *
   * @returns One answer for each key, in the order of the keys.
   */
  protected abstract _send(cells: readonly CellSteps[]): Promise<readonly CellAnswer[]>;

  /** Keys of different lanes never ride together, and do not wait for each other; all have one when this is left as it is. */
  protected _lane(_key: string): number {
    return 0;
  }

  /** Called when the store has not answered a trip in time, and nobody waits for it any longer. */
  protected _giveUp(): void {}

  /** Lets go of what the bucket holds of the store; called once, when nothing is underway any more. */
  protected async _disconnect(): Promise<void> {}

  /** Asks the store for something outside of trips, within the timeout, and makes errors into {@link StoreError}. */
  protected async _ask<T>(action: string, ask: () => Promise<T>): Promise<T> {
    const asked = inTime(outside(ask), this._timeout, undefined, () => this.#lateError(action));
    this.#asked.add(asked);
    try {
      return (await asked)[0];
    } catch (error) {
      throw this.#storeError(action, error);
    } finally {
      this.#asked.delete(asked);
    }
  }

  /** The instant to go by, in microseconds, where one is given or the bucket has a clock of its own; else `undefined`: the store's. */
  protected async _instant(at: number | undefined): Promise<number | undefined> {
    return at === undefined && !this._storeTime ? toMicroseconds(await this.clock.now()) : at;
  }

  protected override _apply(operation: Operation, { key, weight, at }: Entry): Promise<Decision> {
    return new Promise((resolve, reject) =>
      this.#enter(new DecisionCall(operation, key, weight, at, 0, systemElapsed(), resolve, reject) as Call),
    );
  }

  protected override _applyAll(operation: Operation, entries: readonly Entry[]): Promise<Decision[]> {
    return Promise.all(entries.map((entry) => this._apply(operation, entry)));
  }

  protected override _tryPut(key: string, weight: number): Promise<boolean> {
    return new Promise((resolve, reject) =>
      this.#enter(new TryCall("put", key, weight, undefined, 0, systemElapsed(), resolve, reject) as Call),
    );
  }

  protected override _reserve({ key, weight, at }: Entry, maxWait: number): Promise<Booked> {
    // What never fits, and what is nothing, changes nothing: stores need not know of them.
    const asks = weight === 0 || weight > this._capacity;
    const [operation, time] = asks ? (["peek", 0] as const) : (["reserve", maxWait] as const);
    return new Promise((resolve, reject) =>
      this.#enter(new ReserveCall(operation, key, weight, at, time, systemElapsed(), resolve, reject) as Call),
    );
  }

  protected override _cancel({ key, weight, at }: Entry, booked: number, number: number): Promise<Decision> {
    const time = this._kernel.form === "cell" ? number : booked;
    return new Promise((resolve, reject) =>
      this.#enter(new CancelCall("cancel", key, weight, at, time, systemElapsed(), resolve, reject) as Call),
    );
  }

  protected override async _settled(): Promise<void> {
    await this.#lanes.idle();
  }

  protected override async _close(): Promise<void> {
    await this.#lanes.idle();
    await Promise.allSettled(this.#asked);
    await this._disconnect();
  }

  #enter(call: Call): void {
    if (call.at !== undefined || this._storeTime) {
      this.#lanes.add(this._lane(call.key), call);
      return;
    }
    const stamp = (ms: number) => {
      call.at = toMicroseconds(ms);
      this.#lanes.add(this._lane(call.key), call);
    };
    const now: number | Promise<number> = this.clock.now();
    if (now instanceof Promise) now.then(stamp, call.reject);
    else stamp(now);
  }

  async #carry(trip: Trip): Promise<() => void> {
    const fail = (error: unknown) => trip.fail(this.#storeError(trip.calls[0]?.operation ?? "put", error));
    try {
      const answers = await this._send(trip.groups);
      return () => {
        try {
          trip.settle(this._kernel, answers);
        } catch (error) {
          fail(error);
        }
      };
    } catch (error) {
      return () => fail(error);
    }
  }

  #lateError(action: string): StoreError {
    const rule = `${this.#store} did not answer within ${this._timeout} ms, and may do it yet`;
    return new StoreError(`Cannot ${action}: ${rule}. Retry later, or allow more time by the option timeout.`, {
      code: "STORE_TIMEOUT",
    });
  }

  #storeError(action: string, error: unknown): StoreError {
    if (error instanceof StoreError) return error;
    const reason = error instanceof Error && error.message !== "" ? error.message : describe(error);
    return new StoreError(`Cannot ${action}: ${this.#store} failed (${reason}).`, { cause: error });
  }
}
