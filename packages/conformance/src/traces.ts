import { readFileSync } from "node:fs";
import { Rate } from "@sluice/core";

/** One decision of a {@link Trace}; times in milliseconds. */
export interface TraceEvent {
  /** When the item is put. */
  readonly at: number;
  /** Units that it costs. */
  readonly weight: number;
  /** Whether it is admitted. */
  readonly allowed: boolean;
  /** Time until it would be; `Infinity` for never. */
  readonly retryAfter: number;
  /** Whole units that would still be admitted. */
  readonly remaining: number;
  /** Time until the key is as good as new. */
  readonly resetAfter: number;
  /** Index of the binding rate. */
  readonly rate: number;
}

/** A list of puts on one key, with the exact answer to each. */
export interface Trace {
  /** The rates, shortest interval first. */
  readonly rates: readonly Rate[];
  /** The puts, in order. */
  readonly events: readonly TraceEvent[];
}

type Row = [number, number, boolean, number | null, number, number, number];

interface TraceFile {
  readonly rates: readonly { limit: number; intervalMs: number; burst: number }[];
  readonly events: readonly Row[];
}

/**
 * The exact traces of an algorithm: 40 of 150 decisions each. The leaky bucket has those of the token bucket.
 *
 * @param algorithm Its name in kebab case.
 */
export function loadTraces(algorithm: string): Trace[] {
  const name = algorithm === "leaky-bucket" ? "token-bucket" : algorithm;
  const text = readFileSync(new URL(`../traces/${name}.json`, import.meta.url), "utf8");
  return (JSON.parse(text) as TraceFile[]).map(({ rates, events }) => ({
    rates: rates.map(({ limit, intervalMs, burst }) => new Rate(limit, intervalMs, burst)),
    events: events.map(([at, weight, allowed, retryAfter, remaining, resetAfter, rate]) => ({
      at,
      weight,
      allowed,
      retryAfter: retryAfter ?? Number.POSITIVE_INFINITY,
      remaining,
      resetAfter,
      rate,
    })),
  }));
}
