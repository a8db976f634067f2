import { outside } from "../outside.js";

/** How a timer behaves towards the process. */
export interface ScheduleOptions {
  /** Lets the process end although the timer is still to fire. */
  readonly unref?: boolean;
}

// What every JavaScript runtime has, declared here so that this package asks for no runtime's types.
declare function setTimeout(callback: () => void, ms: number): unknown;
declare function clearTimeout(timer: unknown): void;
declare const performance: { now(): number };

/** The longest delay that setTimeout takes; it fires a longer one at once. */
const LONGEST = 2 ** 31 - 1;

/** Milliseconds on the runtime's monotonic clock. */
export function systemElapsed(): number {
  return performance.now();
}

/**
 * Calls `callback` after `delay` ms on the runtime's own timers, and not before: a timer
 * that fires early, or that cannot take so long a delay at once, is set again for the rest.
 */
export function scheduleSystemTimer(delay: number, callback: () => void, options: ScheduleOptions = {}): () => void {
  const due = systemElapsed() + delay;
  let timer: unknown;
  const arm = () => {
    const rest = Math.max(0, due - systemElapsed());
    timer = outside(() => setTimeout(fire, Math.min(Math.ceil(rest), LONGEST)));
    if (options.unref) (timer as { unref?(): void }).unref?.();
  };
  const fire = () => {
    if (systemElapsed() < due) arm();
    else callback();
  };
  arm();
  return () => clearTimeout(timer);
}
