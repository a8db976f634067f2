/**
 * What the scripts answer: doubles, the lowest byte first.
 *
 * @module
 */
import {
  type CellAnswer,
  type CellSteps,
  type Decision,
  type Kernel,
  type Log,
  type Rate,
  type Snapshot,
  toMilliseconds,
} from "@sluice/core";

const DOUBLE = 8;
const ENTRY = 2 * DOUBLE;
/** Decisions in a row of `lua/log-trip.lua`. */
const ROW = 4 + 2 + 4 * DOUBLE;

/**
 * The answers of `lua/cell-trip-one.lua` and `-many.lua`: the server's time, and the cells as they were; one by one
 * where they are not all of one size.
 */
export function readCells(reply: unknown, cells: number, width: number): CellAnswer[] {
  if (Array.isArray(reply)) return readLongCells(reply.map(bytesOf), cells, width);
  const bytes = bytesOf(reply);
  if (bytes.length !== DOUBLE * (1 + cells * width)) throw new Error(`${cells} cells in ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const now = view.getFloat64(0, true);
  const numbers = new Float64Array(cells * width);
  for (let i = 0; i < numbers.length; i++) numbers[i] = view.getFloat64(DOUBLE * (i + 1), true);
  const answers: CellAnswer[] = [];
  for (let i = 0; i < cells; i++) answers.push({ now, before: { numbers, offset: i * width } });
  return answers;
}

function readLongCells([time, ...found]: readonly Buffer[], cells: number, width: number): CellAnswer[] {
  if (found.length !== cells) throw new Error(`${cells} cells in ${found.length} strings`);
  const now = (time as Buffer).readDoubleLE(0);
  return found.map((bytes) => {
    const all = Array.from({ length: bytes.length / DOUBLE }, (_, i) => bytes.readDoubleLE(DOUBLE * i));
    const booked = all.length > width ? all.slice(width) : undefined;
    return { now, before: { numbers: Float64Array.from(all.slice(0, width)), offset: 0, booked } };
  });
}

/** The answers of `lua/log-trip.lua`: the server's time, and decisions, of which those in a row that differ by a number alone are told once. */
export function readDecisions(reply: unknown, cells: readonly CellSteps[], kernel: Kernel): CellAnswer[] {
  const bytes = bytesOf(reply);
  const now = bytes.readDoubleLE(0);
  let at = DOUBLE;
  return cells.map(({ steps }) => {
    const decisions: Decision[] = [];
    const length = steps.reduce((sum, { count }) => sum + count, 0);
    while (decisions.length < length) {
      readRow(bytes, at, kernel, decisions);
      at += ROW;
    }
    return { now, decisions };
  });
}

/** The answer of `lua/log-read.lua`: the server's time, the total of what is gone, and the entries. */
export function readLog(reply: unknown, kernel: Kernel): Snapshot {
  const bytes = bytesOf(reply);
  const log = kernel.fresh() as Log;
  let before = bytes.readDoubleLE(DOUBLE);
  for (let at = 2 * DOUBLE; at < bytes.length; at += ENTRY) {
    const total = bytes.readDoubleLE(at + DOUBLE);
    log.append(bytes.readDoubleLE(at), total - before);
    before = total;
  }
  return { now: bytes.readDoubleLE(0), state: log };
}

function readRow(bytes: Buffer, at: number, { rates }: Kernel, decisions: Decision[]): void {
  const count = bytes.readUInt32LE(at);
  const flags = bytes.readUInt16LE(at + 4);
  const left = bytes.readDoubleLE(at + 6);
  const less = bytes.readDoubleLE(at + 6 + DOUBLE);
  const retryAfter = toMilliseconds(bytes.readDoubleLE(at + 6 + 2 * DOUBLE));
  const resetAfter = toMilliseconds(bytes.readDoubleLE(at + 6 + 3 * DOUBLE));
  for (let i = 0; i < count; i++) {
    decisions.push({
      allowed: flags % 2 === 1,
      remaining: Math.max(0, left - i * less),
      retryAfter,
      resetAfter,
      rate: rates[flags >> 1] as Rate,
      degraded: false,
    });
  }
}

function bytesOf(reply: unknown): Buffer {
  if (Buffer.isBuffer(reply)) return reply;
  throw new Error(`a reply of type ${typeof reply} where bytes were to come`);
}
