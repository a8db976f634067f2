import type { Cell, Kernel, State } from "@sluice/core";
import { doubled, ThingPerKey } from "../per-key.js";
import { RunLengthLog } from "./run-length-log.js";

const FIRST_CAPACITY = 1024;

/** The state of every key under one kernel. */
export interface StatePerKey {
  /** The state of one key, good until the next call. */
  get(key: number): State;
}

/** Makes room for states: cells side by side in one array, or a log for each key. */
export function statePerKey(kernel: Kernel): StatePerKey {
  return kernel.form === "cell" ? new Cells(kernel.width) : new ThingPerKey(() => new RunLengthLog());
}

class Cells implements StatePerKey {
  readonly #width: number;
  readonly #cursor: Cell;

  constructor(width: number) {
    this.#width = width;
    this.#cursor = { numbers: new Float64Array(width * FIRST_CAPACITY), offset: 0 };
  }

  get(key: number): Cell {
    const cursor = this.#cursor;
    cursor.offset = key * this.#width;
    while (cursor.offset >= cursor.numbers.length) cursor.numbers = doubled(cursor.numbers);
    return cursor;
  }
}
