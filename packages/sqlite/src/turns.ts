/** Milliseconds between two tries for the lock, at first and at most. */
const SHORTEST = 0.05;
const LONGEST = 0.2;
/** Milliseconds of holding the lock after which a process lets the others have a try. */
const TURN = 1;
/** Milliseconds that it then leaves them: as long as the longest of them sleeps. */
const GIVE_WAY = 0.2;
/** Milliseconds for which a process that had to wait takes it that others still want the lock. */
const MEMORY = 50;

/**
 * Sharing the lock of one file with other processes.
 *
 * SQLite knows no queue: whoever tries when the lock is free has it, and its own way of
 * waiting sleeps for up to 100 ms between two tries, while one that never sleeps takes
 * the lock again and again. So here a waiter tries again soon, and a process that had to
 * wait lately lets the lock lie for a moment whenever it has held it for a millisecond.
 */
export class Turns {
  readonly #sleeper = new Int32Array(new SharedArrayBuffer(4));
  /** Until when others are taken to want the lock; 0 for nobody. */
  #crowdedUntil = 0;
  /** Milliseconds that the lock was held since this process last gave way. */
  #held = 0;

  /** Sleeps before try number `tries`, counted from 1. */
  wait(tries: number): void {
    this.#sleep(Math.min(LONGEST, SHORTEST * tries));
    this.#crowdedUntil = performance.now() + MEMORY;
    this.#held = 0;
  }

  /** The instant from which the lock is held, for {@link release}. */
  hold(): number {
    return this.#crowdedUntil === 0 ? 0 : performance.now();
  }

  /** Lets others have a try, if it is their turn; the lock has been given back. */
  release(since: number): void {
    if (this.#crowdedUntil === 0) return;
    const now = performance.now();
    if (now > this.#crowdedUntil) {
      this.#crowdedUntil = 0;
      return;
    }
    this.#held += now - since;
    if (this.#held < TURN) return;
    this.#held = 0;
    this.#sleep(GIVE_WAY);
  }

  #sleep(ms: number): void {
    // No two processes in step.
    Atomics.wait(this.#sleeper, 0, 0, ms * (0.75 + Math.random() / 2));
  }
}
