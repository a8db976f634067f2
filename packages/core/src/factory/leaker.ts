import type { AbstractBucket } from "../abstract-bucket.js";
import type { AbstractClock } from "../clock/abstract-clock.js";
import { MonotonicClock } from "../clock/monotonic-clock.js";
import { systemElapsed } from "../clock/system-timer.js";
import { Duration } from "../duration.js";
import type { Mode } from "../mode.js";
import { describe } from "../rate.js";
import type { FactoryOptions } from "./bucket-factory.js";

/** Milliseconds that one slice of a sweep may take, so that no caller waits behind it. */
const SLICE = 1;
/** Milliseconds between two slices. */
const PAUSE = 8;

/**
 * Sweeps buckets in the background: one timer for all of them, which does not keep the process alive.
 *
 * A sweep runs in short slices, one bucket after another, and never two at a time. The
 * timer runs only while there are buckets, so that a leaker can be emptied and filled again.
 */
export class Leaker {
  readonly #buckets = new Set<AbstractBucket<Mode>>();
  readonly #clock: AbstractClock;
  readonly #onError: ((error: unknown) => void) | undefined;
  #interval: number;
  #cancel: (() => void) | undefined;
  #sweeping = false;

  constructor({ leakInterval = 10 * Duration.SECOND, leakClock, onLeakError }: FactoryOptions) {
    this.#interval = checkInterval(leakInterval);
    this.#clock = leakClock ?? new MonotonicClock();
    this.#onError = onLeakError;
  }

  /** The buckets that are swept. */
  get buckets(): readonly AbstractBucket<Mode>[] {
    return [...this.#buckets];
  }

  /** Milliseconds between two rounds. */
  get interval(): number {
    return this.#interval;
  }

  /** Waits another time between two rounds from now on. */
  set interval(ms: number) {
    this.#interval = checkInterval(ms);
    if (this.#sweeping) return;
    this.#stop();
    this.#start();
  }

  /** Sweeps a bucket from the next round on. */
  add(bucket: AbstractBucket<Mode>): void {
    this.#buckets.add(bucket);
    this.#start();
  }

  /** Stops sweeping a bucket, and says whether it was there. */
  delete(bucket: AbstractBucket<Mode>): boolean {
    const known = this.#buckets.delete(bucket);
    if (this.#buckets.size === 0) this.#stop();
    return known;
  }

  /** Stops sweeping. */
  close(): void {
    this.#buckets.clear();
    this.#stop();
  }

  #start(): void {
    if (this.#cancel !== undefined || this.#sweeping || this.#buckets.size === 0) return;
    this.#cancel = this.#clock.schedule(this.#interval, () => void this.#round(), { unref: true });
  }

  #stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Sweeps every bucket, in slices with a pause after each, then waits for the next round. */
  async #round(): Promise<void> {
    this.#cancel = undefined;
    this.#sweeping = true;
    let begun = systemElapsed();
    let more = false;
    for (const bucket of this.buckets) {
      while (this.#buckets.has(bucket)) {
        // After the last slice nobody needs a pause.
        if (more || systemElapsed() - begun >= SLICE) {
          await this.#pause();
          begun = systemElapsed();
        }
        more = await this.#sweep(bucket);
        if (!more) break;
      }
    }
    this.#sweeping = false;
    this.#start();
  }

  /** Sweeps one slice and says whether there is more to do; a failure is told and ends the bucket's turn. */
  async #sweep(bucket: AbstractBucket<Mode>): Promise<boolean> {
    try {
      return await bucket.sweep(SLICE);
    } catch (error) {
      this.#tell(error);
      return false;
    }
  }

  #tell(error: unknown): void {
    try {
      this.#onError?.(error);
    } catch {
      // Whoever listens cannot stop the sweeps.
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#clock.schedule(PAUSE, resolve, { unref: true }));
  }
}

function checkInterval(ms: number): number {
  if (typeof ms === "number" && ms > 0) return ms;
  throw new RangeError(`Cannot sweep every ${describe(ms)} ms: the interval is a number of milliseconds above 0.`);
}
