import { outside } from "../outside.js";
import type { Call } from "./call.js";

declare function queueMicrotask(run: () => void): void;

/** How a lane gets its calls to the store. */
export interface LaneSettings {
  /** The most calls that ride together. */
  readonly maxTrip: number;
  /** Carries calls to the store and answers them; is fulfilled when that is done, whether it went well or not. */
  readonly carry: (calls: readonly Call[]) => Promise<void>;
  /** Called when nothing is underway and nobody waits. */
  readonly onIdle: () => void;
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
  #starting = false;

  constructor(settings: LaneSettings) {
    this.#settings = settings;
  }

  add(call: Call): void {
    this.#waiting.push(call);
    if (this.#underway === undefined && !this.#starting) this.#start();
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
      if (this.#underway?.every((call) => call.late)) this.#arrived();
    }
    return calls.find((call) => !call.late)?.since;
  }

  #start(): void {
    this.#starting = true;
    queueMicrotask(() => {
      this.#starting = false;
      this.#go();
    });
  }

  #go(): void {
    const { maxTrip, carry } = this.#settings;
    const calls = this.#waiting.length <= maxTrip ? this.#waiting : this.#waiting.slice(0, maxTrip);
    this.#waiting = this.#waiting.length <= maxTrip ? [] : this.#waiting.slice(maxTrip);
    this.#underway = calls;
    const done = () => {
      // A trip that was given up may still come back.
      if (this.#underway === calls) this.#arrived();
    };
    outside(() => carry(calls)).then(done, done);
  }

  #arrived(): void {
    this.#underway = undefined;
    if (this.#waiting.length > 0) this.#go();
    else this.#settings.onIdle();
  }
}
