import { inTime } from "../in-time.js";
import type { AbortSignalLike } from "../limiter/waiter.js";

/** One after another, in the order in which they came. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Runs `work` when all who came before are done, with the milliseconds that are left of `timeout`.
   *
   * Whose time is over, or whose signal is raised, before its turn leaves at once, and holds up nobody.
   *
   * @param late Makes the error for when the time is over.
   */
  async take<T>(
    work: (left: number) => Promise<T>,
    timeout: number,
    signal: AbortSignalLike | undefined,
    late: () => Error,
  ): Promise<T> {
    if (signal?.aborted) throw signal.reason;
    const before = this.#last;
    let done: (value?: unknown) => void = () => {};
    this.#last = new Promise((resolve) => {
      done = resolve;
    });
    let left: number;
    try {
      [, left] = await inTime(before, timeout, signal, late);
    } catch (error) {
      done(before);
      throw error;
    }
    try {
      return await work(left);
    } finally {
      done();
    }
  }
}
