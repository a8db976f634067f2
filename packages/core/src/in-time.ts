import { scheduleSystemTimer, systemElapsed } from "./clock/system-timer.js";
import type { AbortSignalLike } from "./limiter/waiter.js";
import { whenAborted } from "./when-aborted.js";

/**
 * Waits for a promise, but no longer than `timeout` milliseconds and not once `signal` is raised.
 *
 * @param late Makes the error for when the time is over.
 * @returns What the promise gave, and how many milliseconds of the timeout are left.
 */
export function inTime<T>(
  promise: Promise<T>,
  timeout: number,
  signal: AbortSignalLike | undefined,
  late: () => Error,
): Promise<[value: T, left: number]> {
  const start = systemElapsed();
  return new Promise((resolve, reject) => {
    const onAbort = () => end(() => reject(signal?.reason));
    const onTimeout = () => end(() => reject(late()));
    const cancel = timeout === Number.POSITIVE_INFINITY ? () => {} : scheduleSystemTimer(timeout, onTimeout);
    const end = (then: () => void) => {
      cancel();
      forget();
      then();
    };
    const forget = whenAborted(signal, onAbort);
    promise.then(
      (value) => end(() => resolve([value, Math.max(0, timeout - (systemElapsed() - start))])),
      (error: unknown) => end(() => reject(error)),
    );
  });
}
