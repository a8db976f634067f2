import { scheduleSystemTimer, systemElapsed } from "../clock/system-timer.js";
import type { Call } from "./call.js";
import { Lane, type LaneSettings } from "./lane.js";

/** What all lanes of a bucket share. */
export interface LanesSettings {
  /** The most calls that ride together. */
  readonly maxTrip: number;
  /** How long a caller waits for its answer, in milliseconds. */
  readonly timeout: number;
  /** Carries calls of one lane to the store, see {@link LaneSettings.carry}. */
  readonly carry: LaneSettings["carry"];
  /** Tells a caller that the store did not answer in time. */
  readonly refuse: (call: Call) => void;
  /** Called when a trip is given up. */
  readonly onGivenUp: () => void;
}

/**
 * The lanes of a bucket: trips of different lanes run side by side, those of one lane one after another.
 *
 * However many wait, there is one timer, and none when nobody does.
 */
export class Lanes {
  readonly #settings: LanesSettings;
  readonly #laneSettings: LaneSettings;
  // They stay: there are no more of them than a Cluster has slots.
  readonly #lanes = new Map<number, Lane>();
  #busy = 0;
  readonly #whenIdle: (() => void)[] = [];
  #timing = false;

  constructor(settings: LanesSettings) {
    this.#settings = settings;
    const onBusy = (busy: boolean) => {
      this.#busy += busy ? 1 : -1;
      this.#wakeIfIdle();
    };
    this.#laneSettings = { ...settings, onBusy };
  }

  add(id: number, call: Call): void {
    let lane = this.#lanes.get(id);
    if (lane === undefined) {
      lane = new Lane(this.#laneSettings);
      this.#lanes.set(id, lane);
    }
    lane.add(call);
    if (!this.#timing) this.#watch(call.since);
  }

  /** Fulfilled once nothing is underway. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenIdle.push(resolve);
      this.#wakeIfIdle();
    });
  }

  #wakeIfIdle(): void {
    if (this.#busy === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** Looks again when a call of `since` has waited too long. */
  #watch(since: number): void {
    this.#timing = true;
    const due = since + this.#settings.timeout;
    // A timer that is left behind by calls with an answer costs nothing, and does not hold the process.
    scheduleSystemTimer(due - systemElapsed(), () => this.#expire(), { unref: true });
  }

  #expire(): void {
    this.#timing = false;
    const { timeout, refuse } = this.#settings;
    const instant = systemElapsed() - timeout;
    let oldest = Number.POSITIVE_INFINITY;
    for (const lane of this.#lanes.values()) {
      oldest = Math.min(oldest, lane.expire(instant, refuse) ?? Number.POSITIVE_INFINITY);
    }
    if (oldest !== Number.POSITIVE_INFINITY) this.#watch(oldest);
  }
}
