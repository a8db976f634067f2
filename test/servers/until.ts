import { setTimeout as sleep } from "node:timers/promises";

const PAUSE_MS = 10;

/**
 * Tries until it works, for that long; `hopeless` says why further tries are in vain.
 *
 * @throws Error with the reason of the last try.
 */
export async function until(
  attempt: () => Promise<void>,
  timeout: number,
  hopeless: () => string | undefined = () => undefined,
): Promise<void> {
  const deadline = performance.now() + timeout;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const vain = hopeless() ?? (performance.now() < deadline ? undefined : `no success within ${timeout} ms`);
      if (vain !== undefined) throw new Error(`${vain} (${error instanceof Error ? error.message : error})`);
    }
    await sleep(PAUSE_MS);
  }
}
