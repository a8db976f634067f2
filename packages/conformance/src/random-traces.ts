/**
 * Random histories of one key, for holding a bucket to the model.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import fc from "fast-check";

/** A rate as plain numbers; the interval in microseconds. */
export interface PlainRate {
  /** Units per interval. */
  readonly limit: number;
  /** Microseconds. */
  readonly interval: number;
  /** Units at one instant, for a token bucket. */
  readonly burst: number;
}

/** One operation at an instant in microseconds. */
export interface RandomEvent {
  /** What is done. */
  readonly operation: "put" | "peek" | "charge" | "refund";
  /** When, in microseconds. */
  readonly at: number;
  /** With how many units. */
  readonly weight: number;
}

/** A random history; plain JSON, so that one that failed can be kept. */
export interface RandomTrace {
  /** The rates, shortest interval first. */
  readonly rates: readonly PlainRate[];
  /** What happens to the key, in order. */
  readonly events: readonly RandomEvent[];
}

/** Random histories for an algorithm: 1 to 3 rates, all operations, weights beyond the capacity, clocks that step back. */
export function randomTraces(algorithm: string): fc.Arbitrary<RandomTrace> {
  const takesBurst = algorithm === "token-bucket" || algorithm === "leaky-bucket";
  return rates(takesBurst).chain((list) => {
    const shortest = list[0]?.interval ?? 1;
    const longest = list.at(-1)?.interval ?? 1;
    const most = Math.max(...list.map(({ burst }) => burst));
    const start = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2_000_000_000_000_000 }));
    const events = fc.array(event(shortest, longest, most), { minLength: 1, maxLength: 60, size: "max" });
    return fc.record({ start, events }).map((history) => ({ rates: list, events: place(history) }));
  });
}

/** Histories that once failed, by algorithm: they are tried before any random one. */
export function keptTraces(algorithm: string): RandomTrace[] {
  const text = readFileSync(new URL("../seeds.json", import.meta.url), "utf8");
  return (JSON.parse(text) as Record<string, RandomTrace[]>)[algorithm] ?? [];
}

interface Step {
  readonly operation: RandomEvent["operation"];
  readonly gap: number;
  readonly weight: number;
}

function rates(takesBurst: boolean): fc.Arbitrary<PlainRate[]> {
  const interval = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1000, max: 5_000_000 }));
  const burst = takesBurst ? fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }) : fc.constant(undefined);
  const part = fc.record({
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    grow: fc.integer({ min: 2, max: 40 }),
    burst,
  });
  return fc.tuple(interval, fc.integer({ min: 1, max: 30 }), fc.array(part, { minLength: 1, maxLength: 3 })).map(grow);
}

/** Makes each rate longer and larger than the one before, and no denser. */
function grow([interval, limit, parts]: [
  number,
  number,
  { share: number; grow: number; burst: number | undefined }[],
]): PlainRate[] {
  const list: PlainRate[] = [];
  for (const part of parts) {
    const last = list.at(-1);
    const next = last === undefined ? interval : last.interval * part.grow + 1;
    const densest = last === undefined ? limit : Math.floor((last.limit * next) / last.interval);
    const units = last === undefined ? limit : last.limit + 1 + Math.floor(part.share * (densest - last.limit - 1));
    list.push({ limit: units, interval: next, burst: part.burst ?? units });
  }
  return list;
}

function event(shortest: number, longest: number, most: number): fc.Arbitrary<Step> {
  const operation = fc.oneof(
    { weight: 12, arbitrary: fc.constant("put" as const) },
    { weight: 2, arbitrary: fc.constant("peek" as const) },
    { weight: 2, arbitrary: fc.constant("charge" as const) },
    { weight: 2, arbitrary: fc.constant("refund" as const) },
  );
  const gap = fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 4, arbitrary: fc.integer({ min: 0, max: Math.ceil(shortest / 3) }) },
    {
      weight: 3,
      arbitrary: fc.constantFrom(1, shortest - 1, shortest, shortest + 1, longest - 1, longest, longest + 1),
    },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 2 * longest }) },
    { weight: 1, arbitrary: fc.integer({ min: -2 * shortest, max: -1 }) },
  );
  const weight = fc.oneof(
    { weight: 6, arbitrary: fc.constant(1) },
    { weight: 3, arbitrary: fc.integer({ min: 0, max: Math.ceil(most / 2) }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 * most + 1 }) },
  );
  return fc.record({ operation, gap, weight });
}

function place({ start, events }: { start: number; events: readonly Step[] }): RandomEvent[] {
  let at = start;
  return events.map(({ operation, gap, weight }) => {
    at = Math.max(0, at + gap);
    return { operation, at, weight };
  });
}
