import { outside } from "../outside.js";
import type { Call } from "./call.js";

/** How a lane gets its calls to the store. */
export interface LaneSettings {
  /** The most calls that ride together. */
  readonly maxTrip: number;
  /** Carries calls to the store; is fulfilled, whether it went well or not, with what then gives them their answers. */
  readonly carry: (calls: readonly Call[]) => Promise<() => void>;
  /** Called when a call comes to a lane where there was none, and when the last one is gone. */
  readonly onBusy: (busy: boolean) => void;
  /** Called when a trip is given up, since nobody waits for it any longer. */
  readonly onGivenUp: () => void;
}

/**
 * One trip at a time: while one is underway, later calls wait, and ride the next together.
 *
 * The first call starts a trip at once, that is with what the same turn of the event loop
 * adds to it: there is no timer, and no call waits for company.
 */
export class Lane {
  readonly #settings: LaneSettings;
  #waiting: Call[] = [];
  #underway: readonly Call[] | undefined;
  /** Starts a trip in a microtask; `undefined` where one is underway or about to be. */
  #wake: (() => void) | undefined;

  constructor(settings: LaneSettings) {
    this.#settings = settings;
    // From here on all that a lane does, but add, is done in this context and not in its callers'.
    outside(() => this.#rest());
  }

  add(call: Call): void {
    this.#waiting.push(call);
    const wake = this.#wake;
    if (wake === undefined) return;
    this.#wake = undefined;
    this.#settings.onBusy(true);
    wake();
  }

  /**
   * Hands those who asked before `instant` to `refuse`, and gives up a trip of which nobody waits any longer.
   *
   * @returns When the first of those that remain has asked; `undefined` when none remain.
   */
  expire(instant: number, refuse: (call: Call) => void): number | undefined {
    const calls = [...(this.#underway ?? []), ...this.#waiting].filter((call) => !call.late);
    const late = calls.filter(({ since }) => since <= instant);
    for (const call of late) {
      call.late = true;
      refuse(call);
    }
    if (late.length > 0) {
      this.#waiting = this.#waiting.filter((call) => !call.late);
      if (this.#underway?.every((call) => call.late)) {
        this.#settings.onGivenUp();
        this.#next();
      }
    }
    return calls.find((call) => !call.late)?.since;
  }

  #go(): void {
    const { maxTrip, carry } = this.#settings;
    const calls = this.#waiting.length <= maxTrip ? this.#waiting : this.#waiting.slice(0, maxTrip);
    this.#waiting = this.#waiting.length <= maxTrip ? [] : this.#waiting.slice(maxTrip);
    this.#underway = calls;
    const arrived = (answer: () => void) => {
      // A trip that was given up may still come back. The next is on its way while the callers hear of this one.
      if (this.#underway === calls) this.#next();
      answer();
    };
    void carry(calls).then(arrived);
  }

  #next(): void {
    this.#underway = undefined;
    if (this.#waiting.length > 0) {
      this.#go();
      return;
    }
    this.#rest();
    this.#settings.onBusy(false);
  }

  /** Waits for a call; what the same turn of the event loop adds to it comes along. */
  #rest(): void {
    const called = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    void called.then(() => this.#go());
  }
}
