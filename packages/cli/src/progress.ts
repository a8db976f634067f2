import { SingleBar } from "cli-progress";
import type { Streams } from "./streams.js";

const MEGABYTE = 1_000_000;

/** Tells a waiting person how far the reading is. */
export interface Progress {
  /** Takes note that `bytes` more of the input were read. */
  read(bytes: number): void;
  /** Takes the bar off the screen. */
  stop(): void;
}

/**
 * Shows a bar on standard error, when that is a terminal.
 *
 * @param total Bytes of all input; `undefined` when it has no known end, as standard input.
 */
export function showProgress(stderr: Streams["stderr"], total: number | undefined): Progress {
  if (stderr.isTTY !== true) return { read: () => {}, stop: () => {} };
  const format =
    total === undefined
      ? "reading {megabytes} MB in {duration_formatted}"
      : "reading {bar} {percentage}% of {megabytes} MB";
  const bar = new SingleBar({ stream: stderr, format, clearOnComplete: true, hideCursor: true, barsize: 40 });
  let done = 0;
  const payload = () => ({ megabytes: Math.round((total ?? done) / MEGABYTE) });
  bar.start(total ?? 0, 0, payload());
  return {
    read(bytes) {
      done += bytes;
      bar.update(done, payload());
    },
    stop: () => bar.stop(),
  };
}
