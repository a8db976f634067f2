import type { AbstractBucket } from "../abstract-bucket.js";
import type { Booked, Operation } from "../algorithms/operate.js";
import { wholeAtLeast } from "../check-number.js";
import type { Decision } from "../decision.js";
import type { Entry } from "../item.js";
import { andThen, lift, type Mode, type Outcome } from "../mode.js";
import { WrapperBucket } from "./wrapper-bucket.js";

/** What {@link withDenyCache} can be told. */
export interface DenyCacheOptions {
  /** How many refused keys are remembered at most; 10,000 when left out. Beyond that the oldest is forgotten. */
  readonly maxKeys?: number;
}

const DEFAULT_MAX_KEYS = 10_000;

/**
 * Remembers which keys were refused, and refuses them without asking the store until
 * their `retryAfter` is over: whoever floods a service then costs its store nothing.
 *
 * Only refusals of a single unit are remembered: heavier items and those with a timestamp
 * are asked for each time, so that every answer is still what the store would say. The one
 * exception: units that come back through another process (a refund, a flush) are seen
 * after `retryAfter`. Those that come back through this bucket are seen at once.
 *
 * @example
 * ```ts
 * import { Limiter, withDenyCache } from "@sluice/core";
 * import { InMemoryBucket } from "@sluice/memory";
 *
 * using limiter = new Limiter(withDenyCache(new InMemoryBucket("1/min")));
 * limiter.tryAcquire("ada"); // => true
 * limiter.tryAcquire("ada"); // => false
 *
 * // From now on the bucket is not asked.
 * limiter.tryAcquire("ada"); // => false
 * ```
 */
export function withDenyCache<M extends Mode>(
  bucket: AbstractBucket<M>,
  options: DenyCacheOptions = {},
): AbstractBucket<M> {
  return new DenyCacheBucket(bucket, wholeAtLeast(1, "maxKeys", options.maxKeys ?? DEFAULT_MAX_KEYS));
}

/** A refusal of one unit, and when it was asked for. */
interface Denial {
  readonly decision: Decision;
  readonly asked: number;
}

class DenyCacheBucket<M extends Mode> extends WrapperBucket<M> {
  readonly #maxKeys: number;
  readonly #denials = new Map<string, Denial>();
  /** Counts the changes by which units may come back, lest an answer from before be remembered after one. */
  #changes = 0;

  constructor(bucket: AbstractBucket<M>, maxKeys: number) {
    super(bucket);
    this.#maxKeys = maxKeys;
    bucket.onReplaceRates(() => this.#changed(undefined));
  }

  protected override _apply(operation: Operation, entry: Entry): Outcome<M, Decision> {
    if (operation === "peek") return super._apply(operation, entry);
    if (operation !== "put") {
      this.#changed(entry.key);
      return andThen(this.mode, super._apply(operation, entry), (decision: Decision) => {
        this.#changed(entry.key);
        return decision;
      });
    }
    const known = entry.at === undefined && entry.weight === 1 ? this.#denial(entry.key) : undefined;
    if (known !== undefined) return lift<M, Decision>(this.mode, known);
    const asked = this.clock.elapsed();
    const changes = this.#changes;
    return andThen(this.mode, super._apply(operation, entry), (decision: Decision) => {
      if (changes === this.#changes) this.#learn(entry, decision, asked);
      return decision;
    });
  }

  protected override _applyAll(operation: Operation, entries: readonly Entry[]): Outcome<M, Decision[]> {
    const known = entries.map(({ key, weight, at }) =>
      at === undefined && weight === 1 ? this.#denial(key) : undefined,
    );
    const open = entries.filter((_, i) => known[i] === undefined);
    const asked = this.clock.elapsed();
    const changes = this.#changes;
    return andThen(this.mode, super._applyAll(operation, open), (decisions: Decision[]) => {
      const answers = decisions.values();
      return entries.map((entry, i) => {
        const decision = known[i] ?? (answers.next().value as Decision);
        if (known[i] === undefined && changes === this.#changes) this.#learn(entry, decision, asked);
        return decision;
      });
    });
  }

  protected override _tryPut(key: string, weight: number): Outcome<M, boolean> {
    const decision = this._apply("put", { key, weight, at: undefined });
    return andThen(this.mode, decision, ({ allowed }: Decision) => allowed);
  }

  protected override _flush(key: string | undefined): Outcome<M, void> {
    this.#changed(key);
    return andThen(this.mode, super._flush(key), () => this.#changed(key));
  }

  protected override _cancel(entry: Entry, at: number, number: number): Outcome<M, Decision> {
    this.#changed(entry.key);
    return andThen(this.mode, super._cancel(entry, at, number), (decision: Decision) => {
      this.#changed(entry.key);
      return decision;
    });
  }

  protected override _reserve(entry: Entry, maxWait: number): Outcome<M, Booked> {
    // A booking makes a refusal last longer than was known.
    this.#changed(entry.key);
    return super._reserve(entry, maxWait);
  }

  /** The refusal that the store would give now; `undefined` where it has to be asked. */
  #denial(key: string): Decision | undefined {
    const denial = this.#denials.get(key);
    if (denial === undefined) return undefined;
    const passed = Math.round((this.clock.elapsed() - denial.asked) * 1000);
    const retryAfter = Math.round(denial.decision.retryAfter * 1000) - passed;
    if (retryAfter <= 0) {
      this.#denials.delete(key);
      return undefined;
    }
    const resetAfter = Math.round(denial.decision.resetAfter * 1000) - passed;
    return { ...denial.decision, retryAfter: retryAfter / 1000, resetAfter: resetAfter / 1000 };
  }

  #learn({ key, weight, at }: Entry, decision: Decision, asked: number): void {
    // What was admitted moved the cell, be it by an item's own time or before a clock that steps back.
    if (decision.allowed) this.#denials.delete(key);
    if (decision.allowed || decision.degraded || weight !== 1 || at !== undefined) return;
    this.#denials.delete(key);
    this.#denials.set(key, { decision, asked });
    if (this.#denials.size > this.#maxKeys) this.#denials.delete(this.#denials.keys().next().value as string);
  }

  #changed(key: string | undefined): void {
    this.#changes++;
    if (key === undefined) this.#denials.clear();
    else this.#denials.delete(key);
  }
}
