/** Milliseconds of the first pause, and of the longest. */
const FIRST = 0.05;
const LONGEST = 0.2;

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/**
 * Sleeps before another try for the lock of a file, the first, the second and so on.
 *
 * SQLite knows no queue: whoever tries when the lock is free has it, and a process that
 * never pauses takes it again and again. SQLite's own waiting sleeps for up to 100 ms
 * between two tries, and so comes too late for seconds on end. Short pauses give each
 * who waits thousands of tries a second, and so its share.
 */
export function pause(tries: number): void {
  const ms = Math.min(LONGEST, FIRST * tries);
  // No two processes in step.
  Atomics.wait(sleeper, 0, 0, ms * (0.75 + Math.random() / 2));
}
