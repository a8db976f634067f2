/**
 * What the options of `sluice replay` mean.
 *
 * @module
 */
import { ALGORITHMS, type Algorithm, Duration, slidingWindowLog, toMicroseconds } from "@sluice/core";
import type { KeyKind } from "../log/key-kind.js";
import { readLimits } from "../read-limits.js";
import type { Limit } from "../replay/limit.js";
import { UsageError } from "../usage-error.js";

/** The options as they stand on the command line; the choices among names are checked already. */
export interface ReplayFlags {
  readonly rate?: readonly string[];
  readonly algorithm: string;
  readonly burst?: string;
  readonly key: KeyKind;
  readonly json?: true;
  readonly top: string;
  readonly reorderWindow: string;
}

/** The options as the replay takes them. */
export interface ReplayOptions {
  readonly files: readonly string[];
  /** The rates, the shortest interval first. */
  readonly limits: readonly Limit[];
  readonly algorithm: Algorithm;
  readonly kind: KeyKind;
  readonly json: boolean;
  readonly top: number;
  /** Microseconds. */
  readonly window: number;
}

/**
 * Reads the options.
 *
 * @throws UsageError for a value that is none, and for values that do not go together.
 */
export function readOptions(files: readonly string[], flags: ReplayFlags): ReplayOptions {
  if (files.length === 0) throw new UsageError("Cannot replay without a log: name a file, or - for standard input.");
  if (flags.rate === undefined)
    throw new UsageError("Cannot replay without a rate: say which one to try, as in --rate 100/min.");
  const algorithm = ALGORITHMS.find(({ name }) => name === flags.algorithm) ?? slidingWindowLog;
  const burst = flags.burst === undefined ? undefined : wholeNumber("--burst", flags.burst);
  return UsageError.during(() => ({
    files,
    limits: readLimits(flags.rate ?? [], burst, algorithm),
    algorithm,
    kind: flags.key,
    json: flags.json ?? false,
    top: wholeNumber("--top", flags.top),
    window: toMicroseconds(Duration.parse(flags.reorderWindow)),
  }));
}

function wholeNumber(option: string, text: string): number {
  const digits = text.replace(/[_,]/g, "");
  if (/^\d+$/.test(digits)) return Number(digits);
  throw new UsageError(
    `Cannot use ${JSON.stringify(text)} as ${option}: it is a whole number. Write it as ${option} 20.`,
  );
}
