import type { Decision } from "../decision.js";
import type { HeapNode } from "../heap.js";
import { whenAborted } from "../when-aborted.js";

/** What is needed of an AbortSignal; any runtime's own will do. */
export interface AbortSignalLike {
  /** Whether it has been raised. */
  readonly aborted: boolean;
  /** What the wait is rejected with. */
  readonly reason: unknown;
  /** Calls `listener` when it is raised. */
  addEventListener(type: "abort", listener: () => void): void;
  /** Takes the listener back. */
  removeEventListener(type: "abort", listener: () => void): void;
}

/** One caller in a line. */
export class Waiter<T = Decision> implements HeapNode {
  previous: Waiter<T> | undefined = undefined;
  next: Waiter<T> | undefined = undefined;
  heapIndex = -1;
  /** Whether it has left the line, admitted or not. */
  gone = false;
  /** Whether the forecast of its line counts it. */
  foreseen = false;
  /** When its timeout is over, on the clock that its timer runs on. */
  deadline = Number.POSITIVE_INFINITY;
  #forget: (() => void) | undefined = undefined;

  /** @param timeout Milliseconds that it is ready to wait, `Infinity` for any time. */
  constructor(
    readonly weight: number,
    readonly timeout: number,
    readonly signal: AbortSignalLike | undefined,
    readonly resolve: (value: T) => void,
    readonly reject: (reason: unknown) => void,
  ) {}

  /** Calls `onAbort` when the signal is raised while the waiter is in line. */
  listen(onAbort: (waiter: Waiter<T>) => void): void {
    if (this.signal === undefined) return;
    this.#forget = whenAborted(this.signal, () => onAbort(this));
  }

  /** Lets go of all that would keep the waiter alive. */
  leave(): void {
    this.gone = true;
    this.previous = undefined;
    this.next = undefined;
    this.#forget?.();
    this.#forget = undefined;
  }
}
