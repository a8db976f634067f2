import { Buffer } from "node:buffer";
import type { CellAnswer, CellSteps, Snapshot, State } from "@sluice/core";
import { after } from "./cell-keys.js";
import type { Row } from "./database.js";

/** How the states of keys are kept: as cells, or as logs. Keys of rows are bytes. */
export interface Store {
  /** Carries out the steps of several keys in one statement. */
  send(cells: readonly CellSteps[]): Promise<readonly CellAnswer[]>;
  /** The state of a key, and the server's time. */
  read(key: string): Promise<Snapshot>;
  /** Writes `to` as the state of a key where that still is `from`, and says whether it was. */
  exchange(key: string, from: State, to: State): Promise<boolean>;
  /** Drops what is as good as new among the first rows from `first` on and before `end`. */
  leak(first: Buffer, end: Buffer, now: number | undefined): Promise<Leaked>;
  /** Drops the first rows from `first` on and before `end`, and says whether there may be more. */
  flush(first: Buffer, end: Buffer): Promise<boolean>;
}

/** What one batch of a leak came to. */
export interface Leaked {
  readonly dropped: number;
  /** Where the next batch begins; `undefined` when this was the last. */
  readonly next: Buffer | undefined;
}

/** Rows that one statement of a leak looks at, or one of a flush drops. */
export const BATCH = 500;

/** Reads what a batch of a leak tells: the last key that it saw, how many it saw, and how many it dropped. */
export function readLeaked([row]: readonly Row[]): Leaked {
  const [last, seen, dropped] = row as Row;
  const more = typeof last === "string" && Number(seen) === BATCH;
  return { dropped: Number(dropped), next: more ? after(Buffer.from(last.slice(2), "hex")) : undefined };
}
