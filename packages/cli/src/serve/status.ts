import { type AbstractClock, MonotonicClock } from "@sluice/core";
import type { Gate, GateMetrics } from "@sluice/http";
import { SingleBar } from "cli-progress";
import type { Streams } from "../streams.js";

/** Milliseconds between two looks: where a person is watching, and where a log is written. */
const LIVE = 1000;
const LOGGED = 10_000;

/** Shows what the gate does, until it is stopped. */
export interface Status {
  /** Stops, and takes the live line away. Further calls do nothing. */
  stop(): void;
}

/** What became of requests, a second, and what is there now. */
interface Rates {
  readonly admitted: string;
  readonly refused: string;
  readonly queued: string;
  readonly active: number;
  readonly waiting: number;
}

/** Shows a live line on a terminal, and elsewhere writes a line every ten seconds in which anything came. */
export function showStatus(stderr: Streams["stderr"], gate: Gate, clock: AbstractClock = new MonotonicClock()): Status {
  return stderr.isTTY === true ? liveLine(stderr, gate, clock) : logLines(stderr, gate, clock);
}

function liveLine(stderr: Streams["stderr"], gate: Gate, clock: AbstractClock): Status {
  const format =
    "admitted {admitted}/s   refused {refused}/s   queued {queued}/s   at work {active}   waiting {waiting}";
  const bar = new SingleBar({ stream: stderr, format, clearOnComplete: true, hideCursor: true });
  bar.start(0, 0, ratesBetween(gate.metrics, gate.metrics, LIVE));
  const stop = watch(gate, clock, LIVE, (rates) => bar.update(0, rates));
  return {
    stop() {
      stop();
      if (bar.isActive) bar.stop();
    },
  };
}

function logLines(stderr: Streams["stderr"], gate: Gate, clock: AbstractClock): Status {
  const stop = watch(gate, clock, LOGGED, (rates, hasNews) => {
    if (!hasNews) return;
    const { admitted, refused, queued, active, waiting } = rates;
    const now = new Date(clock.now()).toISOString();
    stderr.write(
      `${now} admitted ${admitted}/s, refused ${refused}/s, queued ${queued}/s, at work ${active}, waiting ${waiting}\n`,
    );
  });
  return { stop };
}

/** Looks again and again; what is at work is news, too. */
function watch(
  gate: Gate,
  clock: AbstractClock,
  every: number,
  look: (rates: Rates, hasNews: boolean) => void,
): () => void {
  let before = gate.metrics;
  let since = clock.elapsed();
  const lookAgain = () => {
    const [now, metrics] = [clock.elapsed(), gate.metrics];
    look(ratesBetween(before, metrics, now - since), total(metrics) > total(before) || metrics.active > 0);
    before = metrics;
    since = now;
    cancel = clock.schedule(every, lookAgain);
  };
  let cancel = clock.schedule(every, lookAgain);
  return () => cancel();
}

function ratesBetween(before: GateMetrics, now: GateMetrics, ms: number): Rates {
  const rate = (read: (metrics: GateMetrics) => number) => ((1000 * (read(now) - read(before))) / ms).toFixed(1);
  return {
    admitted: rate(({ admitted }) => admitted),
    refused: rate(({ limited, overloaded }) => limited + overloaded),
    queued: rate(({ queue }) => queue?.queued ?? 0),
    active: now.active,
    waiting: now.waiting,
  };
}

function total({ admitted, limited, overloaded, abandoned }: GateMetrics): number {
  return admitted + limited + overloaded + abandoned;
}
