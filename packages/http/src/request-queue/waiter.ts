import { type AbortSignalLike, whenAborted } from "@sluice/core";
import type { Slot } from "./slot.js";

/** One who waits for a slot. */
export class Waiter {
  previous: Waiter | undefined = undefined;
  next: Waiter | undefined = undefined;
  #forget: (() => void) | undefined = undefined;

  /**
   * @param since When it came, in milliseconds of the queue's clock.
   * @param deadline When it gives up; `Infinity` for never.
   */
  constructor(
    readonly priority: number,
    readonly since: number,
    readonly deadline: number,
    readonly signal: AbortSignalLike | undefined,
    readonly resolve: (slot: Slot) => void,
    readonly reject: (reason: unknown) => void,
  ) {}

  /** Calls `onAbort` when the signal is raised while it waits. */
  listen(onAbort: (waiter: Waiter) => void): void {
    if (this.signal === undefined) return;
    this.#forget = whenAborted(this.signal, () => onAbort(this));
  }

  /** Lets go of the signal, which may outlive it by far. */
  leave(): void {
    this.#forget?.();
    this.#forget = undefined;
  }
}
