/** How a timer behaves towards the process. */
export interface ScheduleOptions {
  /** Lets the process end although the timer is still to fire. */
  readonly unref?: boolean;
}

// What every JavaScript runtime has, declared here so that this package asks for no runtime's types.
declare function setTimeout(callback: () => void, ms: number): unknown;
declare function clearTimeout(timer: unknown): void;
declare const performance: { now(): number };

/** Runs a function in the context that this module was loaded in. */
type Snapshot = (run: () => unknown) => unknown;
interface AsyncHooks {
  readonly AsyncLocalStorage?: { snapshot?(): Snapshot };
}
declare const process: undefined | { getBuiltinModule?(name: string): AsyncHooks | undefined };

/**
 * Sets timers outside the context of whoever happens to call, where the runtime has such
 * contexts: a timer that is set again and again would else keep one request's context alive.
 */
const outside: Snapshot =
  (typeof process === "undefined"
    ? undefined
    : process.getBuiltinModule?.("node:async_hooks")
  )?.AsyncLocalStorage?.snapshot?.() ?? ((run) => run());

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
