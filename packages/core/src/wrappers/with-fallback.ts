import { AbstractBucket, type Snapshot } from "../abstract-bucket.js";
import type { Booked, Operation } from "../algorithms/operate.js";
import { moreThan0, wholeAtLeast } from "../check-number.js";
import { SystemClock } from "../clock/system-clock.js";
import type { Decision } from "../decision.js";
import { toMicroseconds, toMilliseconds } from "../duration.js";
import { LimiterError, StoreError } from "../errors.js";
import { inTime } from "../in-time.js";
import type { Entry } from "../item.js";
import type { Mode } from "../mode.js";
import { describe, type Rate } from "../rate.js";
import type { ReplaceStrategy } from "../replace/strategy.js";
import { BookedElsewhere } from "./booked-elsewhere.js";
import { Breaker, type BreakerOptions } from "./breaker.js";
import { toAsync } from "./to-async.js";
import { bookedOf, evictionsOf, itemOf, WrapperBucket } from "./wrapper-bucket.js";

/** What {@link withFallback} can be told. */
export interface FallbackOptions {
  /** How many milliseconds the primary may take for one operation; its own timeout alone when left out. */
  readonly timeout?: number;
  /** When the primary is left alone, and for how long. */
  readonly breaker?: BreakerOptions;
}

const DEFAULT_FAILURES = 5;
const DEFAULT_COOL_DOWN = 5000;

/**
 * Answers from elsewhere while a store is away, and marks those answers `degraded`.
 *
 * Where the primary fails or takes longer than `timeout`, the answer comes from `other`:
 * another bucket (such as one in memory with this process's share of the limit), `"open"`
 * (everything is admitted that could ever fit) or `"closed"` (everything is refused). After
 * some failures in a row the primary is left alone for a while; then one call tries it,
 * and all return to it once that goes well. Wrong arguments and a closed bucket are no
 * failures of the store, and are thrown as ever. What was booked ahead is cancelled where it
 * was booked; while the primary is away, what was booked there comes back with time.
 *
 * Who waits by `acquire` keeps its place over `"closed"` until the primary is back, as far as its
 * timeout allows, and asks again only when the primary may be tried.
 *
 * What the other bucket admits is not made up for in the primary: with N processes that
 * each have a share f of the limit, N * f * limit can pass while the store is away.
 * Closing it closes both. `replaceRates` gives both the same rates: a share is given to the
 * other bucket itself, afterwards.
 *
 * @example
 * ```ts
 * import { Limiter, withFallback } from "@sluice/core";
 * import { InMemoryBucket } from "@sluice/memory";
 *
 * const shared = new InMemoryBucket("100/min"); // in production one in Redis or Postgres
 * const ownShare = new InMemoryBucket("25/min");
 * const bucket = withFallback(shared, ownShare, { timeout: 100, breaker: { failures: 3, coolDown: 2000 } });
 * await using limiter = new Limiter(bucket);
 * (await limiter.consume("ada")).degraded; // => false
 * ```
 */
export function withFallback(
  primary: AbstractBucket<Mode>,
  other: AbstractBucket<Mode> | "open" | "closed",
  options: FallbackOptions = {},
): AbstractBucket<"async"> {
  if (other instanceof AbstractBucket) return new FallbackBucket(toAsync(primary), toAsync(other), options);
  if (other === "open" || other === "closed") return new FallbackBucket(toAsync(primary), other, options);
  throw new TypeError(`Cannot fall back to ${describe(other)}: pass a bucket, "open" or "closed".`);
}

class FallbackBucket extends WrapperBucket<"async"> {
  readonly #other: AbstractBucket<"async"> | "open" | "closed";
  readonly #timeout: number;
  readonly #breaker: Breaker;
  readonly #elsewhere = new BookedElsewhere();
  readonly #clock = new SystemClock();

  constructor(
    primary: AbstractBucket<"async">,
    other: AbstractBucket<"async"> | "open" | "closed",
    { timeout = Number.POSITIVE_INFINITY, breaker = {} }: FallbackOptions,
  ) {
    super(primary);
    this.#other = other;
    this.#timeout = moreThan0("timeout", timeout);
    const { failures = DEFAULT_FAILURES, coolDown = DEFAULT_COOL_DOWN } = breaker;
    this.#breaker = new Breaker(wholeAtLeast(1, "failures", failures), moreThan0("coolDown", coolDown), () =>
      this.clock.elapsed(),
    );
  }

  protected override async _replaceRates(rates: readonly Rate[], strategy: ReplaceStrategy): Promise<void> {
    const replaced = [super._replaceRates(rates, strategy)];
    if (this.#other instanceof AbstractBucket) replaced.push(this.#other.replaceRates(rates, strategy));
    await Promise.all(replaced);
  }

  protected override _apply(operation: Operation, entry: Entry): Promise<Decision> {
    return this.#ask(
      operation,
      () => super._apply(operation, entry),
      async (other) => degraded(await other[operation](itemOf(entry))),
      () => this.#blind(operation, entry),
    );
  }

  protected override _applyAll(operation: Operation, entries: readonly Entry[]): Promise<Decision[]> {
    return this.#ask(
      operation,
      () => super._applyAll(operation, entries),
      async (other) => {
        const items = entries.map(itemOf);
        const decisions =
          operation === "put" ? other.putMany(items) : Promise.all(items.map((item) => other[operation](item)));
        return (await decisions).map(degraded);
      },
      () => entries.map((entry) => this.#blind(operation, entry)),
    );
  }

  protected override async _tryPut(key: string, weight: number): Promise<boolean> {
    return (await this._apply("put", { key, weight, at: undefined })).allowed;
  }

  override get evictions(): number {
    return super.evictions + evictionsOf(this.#other);
  }

  override get reserves(): boolean {
    return super.reserves && (!(this.#other instanceof AbstractBucket) || this.#other.reserves);
  }

  protected override async _reserve(entry: Entry, maxWait: number): Promise<Booked> {
    const booked = await this.#ask(
      "reserve",
      () => super._reserve(entry, maxWait),
      async (other) => {
        const booked = bookedOf(await other.reserve(itemOf(entry), maxWait / 1000));
        return { ...booked, decision: degraded(booked.decision) };
      },
      () => ({ decision: this.#blind("put", entry), at: this.#localNow(), number: 0 }),
    );
    if (booked.decision.degraded && booked.decision.allowed) this.#remember(entry, booked);
    return booked;
  }

  protected override async _cancel(entry: Entry, at: number, number: number): Promise<Decision> {
    const nowhere = () => this.#blind("refund", entry);
    if (!this.#elsewhere.take(entry.key, { at, number }, entry.weight)) {
      return this.#ask("cancel", () => super._cancel(entry, at, number), nowhere, nowhere);
    }
    if (!(this.#other instanceof AbstractBucket)) return nowhere();
    return degraded(await this.#other.cancel(itemOf(entry), { at: toMilliseconds(at), number }));
  }

  protected override _read(key: string): Promise<Snapshot> {
    return this.#ask(
      "read",
      () => super._read(key),
      (other) => other.read(key),
      async () => ({ now: this.#localNow(), state: this.kernel.fresh() }),
    );
  }

  protected override async _flush(key: string | undefined): Promise<void> {
    if (this.#other instanceof AbstractBucket) await this.#other.flush(key);
    await super._flush(key);
  }

  protected override async _leak(now: number | undefined): Promise<number> {
    const leaked = await super._leak(now);
    if (!(this.#other instanceof AbstractBucket)) return leaked;
    return leaked + (await this.#other.leak(now === undefined ? undefined : toMilliseconds(now)));
  }

  protected override async _sweep(budget: number): Promise<boolean> {
    const more = this.#other instanceof AbstractBucket && (await this.#other.sweep(budget));
    // Background work is no reason to knock at a store that is being left alone.
    return (this.#breaker.rest === 0 && (await super._sweep(budget))) || more;
  }

  protected override async _close(): Promise<void> {
    const closing = [super._close()];
    if (this.#other instanceof AbstractBucket) closing.push(this.#other.close());
    await Promise.all(closing);
  }

  /** Asks the primary, or, where it is left alone or fails, whoever answers in its place. */
  async #ask<T>(
    action: string,
    ask: () => Promise<T>,
    askOther: (other: AbstractBucket<"async">) => T | Promise<T>,
    blindly: () => T | Promise<T>,
  ): Promise<T> {
    const ticket = this.#breaker.admit();
    if (ticket !== undefined) {
      try {
        const rule = `the store did not answer within ${this.#timeout} ms`;
        const late = () => new StoreError(`Cannot ${action}: ${rule}.`, { code: "STORE_TIMEOUT" });
        const [answer] = await inTime(ask(), this.#timeout, undefined, late);
        this.#breaker.succeeded(ticket);
        return answer;
      } catch (error) {
        if (!isFailure(error)) {
          this.#breaker.succeeded(ticket);
          throw error;
        }
        this.#breaker.failed(ticket);
      }
    }
    return this.#other instanceof AbstractBucket ? askOther(this.#other) : blindly();
  }

  /** Remembers a booking that the primary knows nothing of, lest it be cancelled there. */
  #remember({ key, weight }: Entry, booked: Booked): void {
    const now = this.clock.elapsed();
    const longest = Math.max(booked.decision.resetAfter, ...this.rates.map(({ interval }) => interval));
    this.#elsewhere.add(key, booked, weight, now, now + longest);
  }

  /** A time for answers that come from nowhere: the store's clock is away with it. */
  #localNow(): number {
    return toMicroseconds(this.#clock.now());
  }

  /** What is answered without asking anybody: as if the key were new, or as if it were full until the store is tried again. */
  #blind(operation: Operation, { weight }: Entry): Decision {
    const rate = this.rates[0] as Rate;
    const blind = { rate, degraded: true, resetAfter: 0 };
    if (weight > this.capacity && (operation === "put" || operation === "peek")) {
      return { ...blind, allowed: false, remaining: 0, retryAfter: Number.POSITIVE_INFINITY };
    }
    if (this.#other === "open") return { ...blind, allowed: true, remaining: this.capacity, retryAfter: 0 };
    const asks = operation === "put" || operation === "peek";
    const allowed = !asks || weight === 0;
    const retryAfter = allowed ? 0 : this.#breaker.retryAfter;
    return { ...blind, allowed, remaining: 0, retryAfter };
  }
}

function degraded(decision: Decision): Decision {
  return { ...decision, degraded: true };
}

/** Whether an error tells of a broken store, and not of a wrong call. */
function isFailure(error: unknown): boolean {
  if (error instanceof LimiterError) return error instanceof StoreError;
  return !(error instanceof TypeError || error instanceof RangeError);
}
