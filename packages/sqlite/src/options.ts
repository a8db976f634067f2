import type { AbstractClock, BucketOptions } from "@sluice/core";

/** When a commit waits for the disk: never, at checkpoints, or each time. */
export type Synchronous = "off" | "normal" | "full";

/** What a {@link SQLiteBucket} can be told. */
export interface SQLiteBucketOptions extends BucketOptions {
  /**
   * Where the time comes from; `SystemClock` when left out, which is the same for all
   * processes on the file.
   */
  readonly clock?: AbstractClock;
  /**
   * What the bucket is for, such as `"sign-in"`; `"default"` when left out. Buckets share
   * cells when they have the same file, table, name, algorithm and rates.
   */
  readonly name?: string;
  /** The table that cells are kept in; `"sluice_cells"` when left out. It is made where it is missing, with another beside it. */
  readonly table?: string;
  /**
   * Milliseconds that an operation may wait while others have the file locked; 5,000 when
   * left out. Then it fails with a `StoreError` of the code `STORE_TIMEOUT`, and nothing was changed.
   */
  readonly timeout?: number;
}

/** What {@link SQLiteBucket.open} can be told. */
export interface SQLiteOpenOptions extends SQLiteBucketOptions {
  /**
   * Whether commits wait for the disk: `"normal"` (when left out) does at checkpoints, so that
   * a crash of the machine loses the newest puts, and a crash of the process none; `"full"`
   * does at every put; `"off"` never, so that a crash of the machine may break the file.
   */
  readonly synchronous?: Synchronous;
}

const DEFAULT_TIMEOUT = 5000;
const SYNCHRONOUS: readonly Synchronous[] = ["off", "normal", "full"];

/** Checks how long an operation may wait. */
export function checkTimeout(timeout: number = DEFAULT_TIMEOUT): number {
  if (typeof timeout !== "number") {
    throw new TypeError(`Cannot wait ${show(timeout)} ms for a lock: the timeout is a number of milliseconds.`);
  }
  if (timeout >= 0) return timeout;
  throw new RangeError(`Cannot wait ${timeout} ms for a lock: the timeout is 0 ms or more. Pass 0 not to wait.`);
}

/** Checks the word for how commits wait for the disk. */
export function checkSynchronous(synchronous: Synchronous = "normal"): Synchronous {
  if (SYNCHRONOUS.includes(synchronous)) return synchronous;
  const rule = `it is one of ${SYNCHRONOUS.map(show).join(", ")}`;
  throw new RangeError(`Cannot write with synchronous ${show(synchronous)}: ${rule}. Leave it out for "normal".`);
}

/** Checks the path of a file. */
export function checkPath(path: string): string {
  if (typeof path === "string" && path !== "") return path;
  const wrong = `Cannot open the database ${show(path)}: name a file, or ":memory:" for none.`;
  throw typeof path === "string" ? new RangeError(wrong) : new TypeError(wrong);
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
