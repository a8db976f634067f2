/**
 * The right to be at work, given back exactly once.
 *
 * @example
 * ```ts
 * import { RequestQueue } from "@sluice/http";
 *
 * const queue = new RequestQueue({ maxConcurrent: 1 });
 * {
 *   using slot = await queue.acquire();
 *   slot.waited; // => 0
 *   queue.active; // => 1
 * }
 * queue.active; // => 0
 * ```
 */
export class Slot {
  /** Milliseconds that were waited for it. */
  readonly waited: number;
  #giveBack: (() => void) | undefined;

  /** @internal */
  constructor(giveBack: () => void, waited: number) {
    this.#giveBack = giveBack;
    this.waited = waited;
  }

  /** Whether it was given back. */
  get released(): boolean {
    return this.#giveBack === undefined;
  }

  /** Gives it back, to whoever waits next. Further calls do nothing. */
  release(): void {
    const giveBack = this.#giveBack;
    if (giveBack === undefined) return;
    this.#giveBack = undefined;
    giveBack();
  }

  /** Gives it back at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.release();
  }
}
