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

/** A request that is inside already comes by once more: it holds nothing of its own, and there is nothing new to tell. */
export const INSIDE_ALREADY: Entered = Object.freeze({ allowed: true, fields: Object.freeze([]), leave: () => {} });

/** A request that was let in. */
export class Inside implements Entered {
  readonly allowed = true;
  readonly fields: readonly Field[];
  readonly #slot: Slot | undefined;
  readonly #exchange: object | undefined;
  #onLeave: ((exchange: object | undefined) => void) | undefined;

  /**
   * @param exchange What the request is known by, when it comes by once more.
   * @param onLeave Called once, when the slot was given back.
   */
  constructor(
    fields: readonly Field[],
    slot: Slot | undefined,
    exchange: object | undefined,
    onLeave: (exchange: object | undefined) => void,
  ) {
    this.fields = fields;
    this.#slot = slot;
    this.#exchange = exchange;
    this.#onLeave = onLeave;
  }

  leave(): void {
    const onLeave = this.#onLeave;
    if (onLeave === undefined) return;
    this.#onLeave = undefined;
    this.#slot?.release();
    onLeave(this.#exchange);
  }
}
