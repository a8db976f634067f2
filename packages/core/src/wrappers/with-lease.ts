import type { AbstractBucket, Snapshot } from "../abstract-bucket.js";
import type { Operation } from "../algorithms/operate.js";
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
  /** How often the rates were replaced: what was taken in advance before that is no lease any more. */
  #replacements = 0;

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
    const asks = operation === "put" || operation === "peek";
    if (!asks || at !== undefined || weight === 0) return super._apply(operation, entry);
    if (operation === "peek") return this.#peek(entry);
    for (;;) {
      const served = this.#leases.get(key)?.take(weight, this.clock.elapsed());
      if (served !== undefined) return served;
      const asking = this.#asking.get(key);
      if (asking === undefined) break;
      await asking.catch(() => {});
    }
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

  protected override async _read(key: string): Promise<Snapshot> {
    await this.#giveBack(key);
    return super._read(key);
  }

  protected override async _flush(key: string | undefined): Promise<void> {
    if (key === undefined) this.#leases.clear();
    else this.#leases.delete(key);
    await super._flush(key);
  }

  protected override async _close(): Promise<void> {
    await this.#giveAllBack();
    this.#endAll();
    await super._close();
  }

  async #peek(entry: Entry): Promise<Decision> {
    return this.#leases.get(entry.key)?.peek(entry.weight, this.clock.elapsed()) ?? super._apply("peek", entry);
  }

  async #giveAllBack(): Promise<void> {
    await Promise.allSettled(this.#asking.values());
    await Promise.allSettled([...this.#leases.keys()].map((key) => this.#giveBack(key)));
  }

  /** Leaves what is still leased to time. */
  #endAll(): void {
    this.#replacements++;
    for (const lease of this.#leases.values()) lease.end();
    this.#leases.clear();
  }

  /** Takes a lease and serves the item from it; where there is no room for one, takes just the item. */
  async #ask(entry: Entry): Promise<Decision> {
    const { key, weight } = entry;
    const left = this.#leases.get(key)?.left(this.clock.elapsed()) ?? 0;
    if (weight < this.#size) {
      const asked = this.clock.elapsed();
      const replacements = this.#replacements;
      const decision = await super._apply("put", { ...entry, weight: this.#size });
      if (decision.allowed && replacements !== this.#replacements) return decision;
      if (decision.allowed) return this.#lease(key, left + this.#size - weight, decision, asked);
    }
    return super._apply("put", entry);
  }

  #lease(key: string, units: number, decision: Decision, asked: number): Decision {
    this.#leases.get(key)?.end();
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
    if (lease === undefined) return;
    this.#leases.delete(key);
    lease.end();
    const left = lease.left(this.clock.elapsed());
    if (left > 0) await super._apply("refund", { key, weight: left, at: undefined });
  }
}
