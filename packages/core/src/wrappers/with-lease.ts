import type { AbstractBucket, Snapshot } from "../abstract-bucket.js";
import type { Booked, Operation } from "../algorithms/operate.js";
import { moreThan0, wholeAtLeast } from "../check-number.js";
import type { Decision } from "../decision.js";
import type { Entry } from "../item.js";
import type { Mode } from "../mode.js";
import { describe, type Rate } from "../rate.js";
import type { ReplaceStrategy } from "../replace/strategy.js";
import { Lease } from "./lease.js";
import { toAsync } from "./to-async.js";
import { WrapperBucket } from "./wrapper-bucket.js";

/** What {@link withLease} is told. */
export interface LeaseOptions {
  /** How many units are taken in advance for a key: a whole number, 1 or more. */
  readonly size: number;
  /** After how many milliseconds what is left of a lease goes back; 1000 when left out. */
  readonly ttl?: number;
  /** For how many keys leases are held at most; 10,000 when left out. Beyond that the oldest goes back. */
  readonly maxKeys?: number;
}

const DEFAULT_TTL = 1000;
const DEFAULT_MAX_KEYS = 10_000;

/**
 * Takes units of a busy key in advance, `size` at a time, and serves them without asking the store.
 *
 * Never admits more than the rate allows: what time gives back to the store meanwhile, it
 * takes from the lease. The price is that others are refused what lies in a lease: up to
 * `size` for each process, until it is used, its `ttl` is over or the bucket is closed; when
 * a process dies, until time has given it back. `remaining` counts what the store had when it
 * was last asked.
 *
 * What no lease serves (a heavier item, one with a timestamp, `charge`, `refund`, `reserve`,
 * `acquire`, `count`) first gives the key's lease back, and then asks the store.
 *
 * When its rates are replaced, what lies in leases goes back first. Rates that are replaced
 * underneath leave it to time.
 *
 * For the token bucket and the leaky bucket: in the others a unit counts from when it was taken, and
 * a lease would use it later. Items with a timestamp are not served from a lease.
 *
 * @throws RangeError for the other algorithms and for a size above the capacity.
 *
 * @example
 * ```ts
 * import { Limiter, tokenBucket, withLease } from "@sluice/core";
 * import { InMemoryBucket } from "@sluice/memory";
 *
 * const shared = new InMemoryBucket("1000/min", { algorithm: tokenBucket }); // in production one in Redis
 * await using limiter = new Limiter(withLease(shared, { size: 50 }));
 * await limiter.tryAcquire("ada"); // => true
 *
 * // The first asked the store for 50; the next 49 ask nobody.
 * await limiter.tryAcquire("ada"); // => true
 * ```
 */
export function withLease(bucket: AbstractBucket<Mode>, options: LeaseOptions): AbstractBucket<"async"> {
  const { size, ttl = DEFAULT_TTL, maxKeys = DEFAULT_MAX_KEYS } = options;
  checkSize(wholeAtLeast(1, "size", size), bucket.capacity);
  if (bucket.kernel.rule !== "token-bucket") {
    const rule = "a unit counts there from when it is taken, and a lease uses it later";
    throw new RangeError(`Cannot lease by ${describe(bucket.algorithm.name)}: ${rule}. Use tokenBucket.`);
  }
  return new LeaseBucket(toAsync(bucket), size, moreThan0("ttl", ttl), wholeAtLeast(1, "maxKeys", maxKeys));
}

function checkSize(size: number, capacity: number): void {
  if (size <= capacity) return;
  throw new RangeError(`Cannot lease ${size} units at a time: the smallest rate holds ${capacity}. Lease fewer.`);
}

class LeaseBucket extends WrapperBucket<"async"> {
  readonly #size: number;
  readonly #ttl: number;
  readonly #maxKeys: number;
  readonly #leases = new Map<string, Lease>();
  /** Puts that ask the store, by key: others for the key wait for what they bring. */
  readonly #asking = new Map<string, Promise<unknown>>();
  /** What is on its way back to the store, by key. */
  readonly #returning = new Map<string, Promise<void>>();
  /** How many operations go on that no lease may lie beside, by key: until they are done, none is taken. */
  readonly #bare = new Map<string, number>();
  /** How often all leases ended: what was taken in advance before that is no lease any more. */
  #ends = 0;

  constructor(bucket: AbstractBucket<"async">, size: number, ttl: number, maxKeys: number) {
    super(bucket);
    this.#size = size;
    this.#ttl = ttl;
    this.#maxKeys = maxKeys;
    bucket.onReplaceRates(() => this.#endAll());
  }

  /** What lies in leases goes back first, so that it is not carried over as used. */
  protected override async _replaceRates(rates: readonly Rate[], strategy: ReplaceStrategy): Promise<void> {
    checkSize(this.#size, Math.min(...rates.map(({ burst }) => burst)));
    await this.#giveAllBack();
    await super._replaceRates(rates, strategy);
  }

  protected override async _apply(operation: Operation, entry: Entry): Promise<Decision> {
    const { key, weight, at } = entry;
    if (weight === 0) return super._apply(operation, entry);
    const leases = at === undefined && (operation === "put" || operation === "peek");
    if (!leases) return this.#withoutLease(key, () => super._apply(operation, entry));
    if (operation === "peek") return this.#peek(entry);
    for (;;) {
      const served = this.#leases.get(key)?.take(weight, this.clock.elapsed());
      if (served !== undefined) return served;
      const asking = this.#asking.get(key);
      if (asking === undefined) break;
      await asking.catch(() => {});
    }
    if (this.#bare.has(key)) return this.#withoutLease(key, () => super._apply("put", entry));
    const answer = this.#ask(entry);
    this.#asking.set(key, answer);
    try {
      return await answer;
    } finally {
      this.#asking.delete(key);
    }
  }

  protected override _applyAll(operation: Operation, entries: readonly Entry[]): Promise<Decision[]> {
    return Promise.all(entries.map((entry) => this._apply(operation, entry)));
  }

  protected override async _tryPut(key: string, weight: number): Promise<boolean> {
    return (await this._apply("put", { key, weight, at: undefined })).allowed;
  }

  protected override _reserve(entry: Entry, maxWait: number): Promise<Booked> {
    return this.#withoutLease(entry.key, () => super._reserve(entry, maxWait));
  }

  protected override _cancel(entry: Entry, at: number, number: number): Promise<Decision> {
    return this.#withoutLease(entry.key, () => super._cancel(entry, at, number));
  }

  protected override _read(key: string): Promise<Snapshot> {
    return this.#withoutLease(key, () => super._read(key));
  }

  protected override async _flush(key: string | undefined): Promise<void> {
    if (key !== undefined) return this.#withoutLease(key, () => super._flush(key));
    this.#endAll();
    try {
      await super._flush(key);
    } finally {
      // What was taken meanwhile may be forgotten, too.
      this.#endAll();
    }
  }

  protected override async _close(): Promise<void> {
    await this.#giveAllBack();
    this.#endAll();
    await super._close();
  }

  async #peek(entry: Entry): Promise<Decision> {
    const { key, weight } = entry;
    const served = this.#leases.get(key)?.peek(weight, this.clock.elapsed());
    return served ?? this.#withoutLease(key, () => super._apply("peek", entry));
  }

  /** Does something in the store while no unit of the key lies in a lease: it sees, and changes, all that there is. */
  async #withoutLease<T>(key: string, run: () => Promise<T>): Promise<T> {
    this.#bare.set(key, (this.#bare.get(key) ?? 0) + 1);
    try {
      await this.#asking.get(key)?.catch(() => {});
      // Should the store fail now, what was leased comes back with time.
      await this.#giveBack(key).catch(() => {});
      return await run();
    } finally {
      const left = (this.#bare.get(key) as number) - 1;
      if (left === 0) this.#bare.delete(key);
      else this.#bare.set(key, left);
    }
  }

  async #giveAllBack(): Promise<void> {
    await Promise.allSettled(this.#asking.values());
    await Promise.allSettled([...this.#leases.keys(), ...this.#returning.keys()].map((key) => this.#giveBack(key)));
  }

  /** Leaves what is still leased to time. */
  #endAll(): void {
    this.#ends++;
    for (const lease of this.#leases.values()) lease.end();
    this.#leases.clear();
  }

  /** Takes a lease and serves the item from it; where there is no room for one, takes just the item. */
  async #ask(entry: Entry): Promise<Decision> {
    const { key, weight } = entry;
    if (weight < this.#size) {
      const asked = this.clock.elapsed();
      const ends = this.#ends;
      const decision = await super._apply("put", { ...entry, weight: this.#size });
      if (decision.allowed && ends !== this.#ends) return decision;
      if (decision.allowed) return this.#lease(key, this.#size - weight, decision, asked);
    }
    await this.#giveBack(key).catch(() => {});
    return super._apply("put", entry);
  }

  /** Leases units beside what is left of the lease before. */
  #lease(key: string, more: number, decision: Decision, asked: number): Decision {
    const before = this.#leases.get(key);
    const units = more + (before?.left(this.clock.elapsed()) ?? 0);
    before?.end();
    const ends = asked + this.#ttl;
    const cancel = this.clock.schedule(ends - this.clock.elapsed(), () => void this.#giveBack(key).catch(() => {}), {
      unref: true,
    });
    // Units a millisecond that time gives back to the store at most.
    const leak = Math.max(...this.rates.map(({ limit, interval }) => limit / interval));
    const lease = new Lease(units, decision, asked, leak, cancel);
    this.#leases.delete(key);
    this.#leases.set(key, lease);
    if (this.#leases.size > this.#maxKeys)
      void this.#giveBack(this.#leases.keys().next().value as string).catch(() => {});
    return lease.tell(asked);
  }

  /** Gives back what is left of a lease, as far as time has not done so already. */
  async #giveBack(key: string): Promise<void> {
    const lease = this.#leases.get(key);
    if (lease === undefined) return this.#returning.get(key);
    this.#leases.delete(key);
    lease.end();
    const left = lease.left(this.clock.elapsed());
    if (left === 0) return this.#returning.get(key);
    const refund = super._apply("refund", { key, weight: left, at: undefined });
    const returning = Promise.all([refund, this.#returning.get(key)]).then(() => {});
    this.#returning.set(key, returning);
    try {
      await returning;
    } finally {
      if (this.#returning.get(key) === returning) this.#returning.delete(key);
    }
  }
}
