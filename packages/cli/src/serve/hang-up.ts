import type { AbortSignalLike } from "@sluice/core";

/**
 * Tells that a client hung up: what is needed of an `AbortSignal`, at a hundredth of its
 * cost, for there is one a request.
 */
export class HangUp implements AbortSignalLike {
  aborted = false;
  readonly reason = "The client hung up.";
  #listener: (() => void) | undefined;

  addEventListener(_: "abort", listener: () => void): void {
    this.#listener = listener;
  }

  removeEventListener(): void {
    this.#listener = undefined;
  }

  /** The client hung up. */
  raise(): void {
    this.aborted = true;
    this.#listener?.();
  }
}
