import type { ReplayOptions } from "../commands/replay-options.js";
import type { LogReader } from "../log/log-reader.js";
import type { Minute } from "../replay/busiest-minutes.js";
import { type KeyCount, mostRefused } from "../replay/most-refused.js";
import type { Replay } from "../replay/replay.js";
import type { SmallestLimits } from "../replay/smallest-limit/refused-share.js";

/** What a replay found, for any form of report. */
export interface Summary {
  readonly options: ReplayOptions;
  readonly requests: number;
  readonly keys: number;
  /** Lines that could not be read. */
  readonly malformed: number;
  /** Lines that stood behind a later one, and those of them that did so by more than the reorder window. */
  readonly outOfOrder: number;
  readonly late: number;
  readonly refused: number;
  readonly keysRefused: number;
  readonly top: readonly KeyCount[];
  readonly busiestMinutes: readonly Minute[];
  /** The first and the last request. */
  readonly from: Date;
  readonly to: Date;
  /** One for each rate, the shortest interval first. */
  readonly smallestLimits: readonly SmallestLimits[];
  /** How long it took. */
  readonly seconds: number;
}

/** Gathers what the readers and the replay have counted. */
export function summarize(
  options: ReplayOptions,
  readers: readonly LogReader[],
  keys: number,
  replay: Replay,
  seconds: number,
): Summary {
  const { requests, refused } = replay;
  return {
    options,
    requests,
    keys,
    malformed: sum(readers, ({ malformed }) => malformed),
    outOfOrder: sum(readers, ({ outOfOrder }) => outOfOrder),
    late: sum(readers, ({ late }) => late),
    refused,
    ...mostRefused(replay.counts(), options.top),
    busiestMinutes: replay.busiestMinutes.list(),
    from: new Date(replay.from / 1000),
    to: new Date(replay.to / 1000),
    smallestLimits: replay.smallestLimits(),
    seconds,
  };
}

function sum(readers: readonly LogReader[], count: (reader: LogReader) => number): number {
  return readers.reduce((total, reader) => total + count(reader), 0);
}
