/**
 * What can be done with a state without knowing what it means.
 *
 * @module
 */
import type { Cell, Kernel, Log, State } from "./kernel.js";

/** A state of its own with the same contents, for asking "what if". */
export function copyState(kernel: Kernel, state: State): State {
  const copy = kernel.fresh();
  writeState(kernel, copy, state);
  return copy;
}

/** Writes the contents of a state into another, which is all new. */
export function writeState(kernel: Kernel, into: State, state: State): void {
  if (kernel.form === "cell") {
    const { numbers, offset, booked } = state as Cell;
    (into as Cell).numbers.set(numbers.subarray(offset, offset + kernel.width), (into as Cell).offset);
    (into as Cell).booked = booked;
  } else {
    const log = state as Log;
    for (let i = 0; i < log.size; i++) (into as Log).append(log.time(i), log.total(i) - log.total(i - 1));
  }
}

/** Whether two states have the same contents; not whether the same can be given back of bookings. */
export function sameState(kernel: Kernel, a: State, b: State): boolean {
  return kernel.form === "cell" ? sameCell(kernel.width, a as Cell, b as Cell) : sameLog(a as Log, b as Log);
}

/** Whether a state is that of a key that has never been seen. */
export function isFresh(kernel: Kernel, state: State): boolean {
  return sameState(kernel, state, kernel.fresh());
}

function sameCell(width: number, a: Cell, b: Cell): boolean {
  for (let i = 0; i < width; i++) if (a.numbers[a.offset + i] !== b.numbers[b.offset + i]) return false;
  return true;
}

function sameLog(a: Log, b: Log): boolean {
  if (a.size !== b.size) return false;
  for (let i = 0; i < a.size; i++) if (a.time(i) !== b.time(i) || a.total(i) !== b.total(i)) return false;
  return true;
}
