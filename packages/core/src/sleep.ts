import type { AbortSignalLike } from "./limiter/waiter.js";
import { whenAborted } from "./when-aborted.js";

/**
 * Waits for `ms` milliseconds and not less, or until the signal is raised, and then rejects with its reason.
 *
 * @param schedule Whose timer it is: that of a clock.
 */
export function sleep(
  ms: number,
  signal: AbortSignalLike | undefined,
  schedule: (ms: number, callback: () => void) => () => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const cancel = schedule(ms, () => {
      forget();
      resolve();
    });
    const forget = whenAborted(signal, () => {
      cancel();
      forget();
      reject(signal?.reason);
    });
  });
}
