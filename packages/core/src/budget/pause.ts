import { scheduleSystemTimer, systemElapsed } from "../clock/system-timer.js";
import type { AbortSignalLike } from "../limiter/waiter.js";
import { sleep } from "../sleep.js";

/** How long a provider wants to be left alone. Times are milliseconds on the clock of the timers. */
export class Pause {
  #until = 0;

  /** Pauses for `ms` from now, or for as long as it was paused already, whichever is longer. */
  extend(ms: number): void {
    if (ms > 0) this.#until = Math.max(this.#until, systemElapsed() + ms);
  }

  /** Milliseconds that are left of it; 0 when it is over. */
  get rest(): number {
    return Math.max(0, this.#until - systemElapsed());
  }

  /** Waits until it is over, and says so; `false`, at once, where it will not be over by `deadline`. */
  async sitOut(deadline: number, signal: AbortSignalLike | undefined): Promise<boolean> {
    // While one waits, the provider may ask for more.
    for (let { rest } = this; rest > 0; { rest } = this) {
      if (systemElapsed() + rest > deadline) return false;
      await sleep(rest, signal, scheduleSystemTimer);
    }
    return true;
  }
}
