/**
 * What a gate says to one request.
 *
 * @module
 */
import type { Answer, Field } from "../answer/answer.js";
import type { Slot } from "../request-queue/slot.js";

/** The request may be served: `fields` are to be set on the answer, and `leave` called when it is over. */
export interface Entered {
  /** The request may be served. */
  readonly allowed: true;
  /** Header fields for the answer. */
  readonly fields: readonly Field[];
  /** The request is over, however it ended; what it held goes to the next. Further calls do nothing. */
  leave(): void;
}

/** The request is not to be served: `status`, `fields` and `body` are the answer. There is nothing to leave. */
export interface TurnedAway extends Answer {
  /** The request is not to be served. */
  readonly allowed: false;
}

/** What a {@link Gate} says to one request. */
export type Passage = Entered | TurnedAway;

/** A request that was let in. */
export class Inside implements Entered {
  readonly allowed = true;
  readonly fields: readonly Field[];
  readonly #slot: Slot | undefined;
  #onLeave: (() => void) | undefined;

  /** @param onLeave Called once, when the slot was given back. */
  constructor(fields: readonly Field[], slot: Slot | undefined, onLeave: () => void) {
    this.fields = fields;
    this.#slot = slot;
    this.#onLeave = onLeave;
  }

  leave(): void {
    const onLeave = this.#onLeave;
    if (onLeave === undefined) return;
    this.#onLeave = undefined;
    this.#slot?.release();
    onLeave();
  }
}
