/**
 * Buckets that are wrong on purpose, each in one way that real ones have been: the
 * conformance suite must catch every one.
 *
 * @module
 */
import {
  AbstractBucket,
  type BucketOptions,
  type Decision,
  type Entry,
  type Kernel,
  type Operation,
  operate,
  Rate,
  type RatesLike,
  type Snapshot,
  type State,
} from "@sluice/core";

type Options = BucketOptions;

/** A right bucket, for the wrong ones to spoil. */
export class RightBucket extends AbstractBucket<"sync"> {
  protected readonly cells = new Map<string, State>();

  constructor(rates: RatesLike, options: Options = {}) {
    super("sync", rates, options);
  }

  protected cell(key: string): State {
    let state = this.cells.get(key);
    if (state === undefined) {
      state = this.kernel.fresh();
      this.cells.set(key, state);
    }
    return state;
  }

  protected override _apply(operation: Operation, { key, weight, at }: Entry): Decision {
    return operate(this.kernel, operation, this.cell(key), at ?? this._now(), weight);
  }

  protected override _read(key: string): Snapshot {
    return { now: this._now(), state: this.cell(key) };
  }

  protected override _leak(now = this._now()): number {
    let dropped = 0;
    for (const [key, state] of this.cells) {
      if (this.kernel.reset(state, now, 0) > 0) continue;
      // Reading makes cells here; only those that were in use count as dropped.
      this.cells.delete(key);
      dropped++;
    }
    return dropped;
  }

  protected override _flush(key?: string): void {
    if (key === undefined) this.cells.clear();
    else this.cells.delete(key);
  }
}

/** Lets an item go a microsecond before its window ends. */
export class OffByOneBucket extends RightBucket {
  readonly #short = this.algorithm.compile(
    this.rates.map(({ limit, interval, burst }) => new Rate(limit, interval - 0.001, burst)),
  );

  protected override _apply(operation: Operation, { key, weight, at }: Entry): Decision {
    const decision = operate(this.#short, operation, this.cell(key), at ?? this._now(), weight);
    return { ...decision, rate: this.rates[this.#short.rates.indexOf(decision.rate)] as Rate };
  }
}

/** Charges for what it refuses. */
export class ChargingRefusalBucket extends RightBucket {
  protected override _apply(operation: Operation, entry: Entry): Decision {
    const decision = super._apply(operation, entry);
    if (operation === "put" && !decision.allowed)
      this.kernel.take(this.cell(entry.key), entry.at ?? this._now(), entry.weight);
    return decision;
  }
}

/** Keeps keys that begin alike in one cell. */
export class SharedCellBucket extends RightBucket {
  protected override cell(key: string): State {
    return super.cell(key.slice(0, 64));
  }
}

/** Takes keys for the same that a database with a careless collation would. */
export class CollatingBucket extends RightBucket {
  protected override cell(key: string): State {
    return super.cell(key.normalize("NFC"));
  }
}

/** Trusts the clock, so that a cell which is ahead of it starts anew. */
export class MintingBucket extends RightBucket {
  readonly #last = new Map<string, number>();

  protected override _apply(operation: Operation, entry: Entry): Decision {
    const now = entry.at ?? this._now();
    if (now < (this.#last.get(entry.key) ?? 0)) this.cells.delete(entry.key);
    this.#last.set(entry.key, now);
    return super._apply(operation, { ...entry, at: now });
  }
}

/** Commits one rate before it asks the next. */
export class PiecemealBucket extends RightBucket {
  readonly #kernels: readonly Kernel[] = this.rates.map((rate) => this.algorithm.compile([rate]));
  readonly #states = new Map<string, State[]>();

  protected override _apply(operation: Operation, { key, weight, at }: Entry): Decision {
    const now = at ?? this._now();
    const states = this.#states.get(key) ?? this.#kernels.map((kernel) => kernel.fresh());
    this.#states.set(key, states);
    let last: Decision | undefined;
    for (const [i, kernel] of this.#kernels.entries()) {
      last = operate(kernel, operation, states[i] as State, now, weight);
      if (!last.allowed) break;
    }
    return last as Decision;
  }
}

/** Tells the wait in whole milliseconds, rounded down. */
export class RoundingBucket extends RightBucket {
  protected override _apply(operation: Operation, entry: Entry): Decision {
    const decision = super._apply(operation, entry);
    return { ...decision, retryAfter: Math.floor(decision.retryAfter) };
  }
}

/** Takes what it was only asked about. */
export class TakingPeekBucket extends RightBucket {
  protected override _apply(operation: Operation, entry: Entry): Decision {
    return super._apply(operation === "peek" ? "put" : operation, entry);
  }
}

/** Drops cells that still count. */
export class HastyLeakBucket extends RightBucket {
  protected override _leak(now = this._now()): number {
    return super._leak(now + 1_000_000);
  }
}

/** Gives back more than there was. */
export class OverfullBucket extends RightBucket {
  readonly #bonus = new Map<string, number>();

  protected override _apply(operation: Operation, entry: Entry): Decision {
    const decision = super._apply(operation, entry);
    if (operation === "refund") this.#bonus.set(entry.key, entry.weight);
    if (decision.allowed || operation !== "put" || (this.#bonus.get(entry.key) ?? 0) < entry.weight) return decision;
    this.#bonus.delete(entry.key);
    return { ...decision, allowed: true, retryAfter: 0 };
  }
}

/** Reads, waits for a moment as for a server, and then writes what it made of what it read. */
export class RacingBucket extends AbstractBucket<"async"> {
  readonly #admitted = new Map<string, number>();

  constructor(rates: RatesLike, options: Options = {}) {
    super("async", rates, options);
  }

  protected override async _apply(operation: Operation, { key, weight, at }: Entry): Promise<Decision> {
    const now = at ?? (await this._now());
    const before = this.#admitted.get(key) ?? 0;
    const state = this.kernel.fresh();
    if (before > 0) this.kernel.take(state, now, before);
    await undefined;
    const decision = operate(this.kernel, operation, state, now, weight);
    if (operation === "put" && decision.allowed) this.#admitted.set(key, before + weight);
    return decision;
  }

  protected override async _read(): Promise<Snapshot> {
    return { now: await this._now(), state: this.kernel.fresh() };
  }

  protected override async _leak(): Promise<number> {
    return 0;
  }

  protected override async _flush(): Promise<void> {
    this.#admitted.clear();
  }
}
