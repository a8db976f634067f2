/**
 * From rounds to numbers.
 *
 * @module
 */

/** One measure of one contestant, over the rounds, to five digits. */
export interface Series {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly rounds: readonly number[];
}

/** What one contestant did: most often `ns` alone, the nanoseconds that one call took. */
export interface Measured {
  readonly name: string;
  readonly measures: Readonly<Record<string, Series>>;
}

/** The middle of a list of numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}

export function series(values: readonly number[]): Series {
  const rounds = values.map((value) => Number(value.toPrecision(5)));
  return { median: median(rounds), least: Math.min(...rounds), most: Math.max(...rounds), rounds };
}

/** Sums up rounds: of each contestant its measures, or nanoseconds alone. Who skips rounds skips the last ones. */
export function summarise(
  rounds: readonly ReadonlyMap<string, number | Readonly<Record<string, number>>>[],
): Measured[] {
  return [...(rounds[0]?.keys() ?? [])].map((name) => {
    const seen = rounds.flatMap((round) => {
      const value = round.get(name);
      return value === undefined ? [] : [typeof value === "number" ? { ns: value } : value];
    });
    const measures = Object.keys(seen[0] ?? {}).map((measure) => [
      measure,
      series(seen.map((one) => (one as Record<string, number>)[measure] as number)),
    ]);
    return { name, measures: Object.fromEntries(measures) };
  });
}
