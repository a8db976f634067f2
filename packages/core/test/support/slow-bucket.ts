import { AbstractBucket, type BucketOptions, type Decision, type RatesLike, type Snapshot } from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import type { Operation } from "../../src/algorithms/operate.js";
import type { AbstractClock } from "../../src/clock/abstract-clock.js";
import type { Entry } from "../../src/item.js";

/** A bucket that answers when it is told to: `answer()` lets the oldest call that is under way go on. */
export class SlowBucket extends AbstractBucket<"async"> {
  /** What it keeps, for a test to look at. */
  readonly inner: InMemoryBucket;
  readonly #held: (() => void)[] = [];
  /** Operations that were asked for. */
  readonly asked: Operation[] = [];
  /** Answers at once when true. */
  open = false;

  constructor(rates: RatesLike, options: BucketOptions & { clock: AbstractClock }) {
    super("async", rates, options);
    this.inner = new InMemoryBucket(rates, options);
  }

  /** Lets the oldest held call go on, and all that follows from it happen. */
  async answer(): Promise<void> {
    this.#held.shift()?.();
    await settle();
  }

  protected override async _apply(operation: Operation, { key, weight }: Entry): Promise<Decision> {
    this.asked.push(operation);
    if (!this.open) await new Promise<void>((resolve) => this.#held.push(resolve));
    return this.inner[operation]({ key, weight });
  }

  protected override async _read(key: string): Promise<Snapshot> {
    return this.inner.read(key);
  }

  protected override async _leak(): Promise<number> {
    return this.inner.leak();
  }

  protected override async _flush(key?: string): Promise<void> {
    this.inner.flush(key);
  }
}

/** Lets all promises that are settled be heard. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await undefined;
}
