/**
 * States as `lua/cell-exchange.lua` and `lua/log-exchange.lua` are told them: doubles, the lowest byte first.
 *
 * @module
 */
import type { Cell, Kernel, Log, State } from "@sluice/core";

/** What a state is known by: all of a cell; the size, the times and the total of a log. */
export function toldFrom(kernel: Kernel, state: State): Buffer {
  if (kernel.form === "cell") return told(kernel, state);
  const log = state as Log;
  const last = log.size - 1;
  return last < 0 ? doubles([0, 0, 0, 0]) : doubles([log.size, log.time(0), log.time(last), log.total(last)]);
}

/** All of a state. */
export function told(kernel: Kernel, state: State): Buffer {
  if (kernel.form === "cell") {
    const { numbers, offset, booked = [] } = state as Cell;
    return doubles([...numbers.subarray(offset, offset + kernel.width), ...booked]);
  }
  const log = state as Log;
  const parts: number[] = [];
  for (let i = 0; i < log.size; i++) parts.push(log.time(i), log.total(i) - log.total(i - 1));
  return doubles(parts);
}

function doubles(values: ArrayLike<number>): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  for (let i = 0; i < values.length; i++) bytes.writeDoubleLE(values[i] as number, 8 * i);
  return bytes;
}
