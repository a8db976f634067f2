/** The middle of a list of numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}

/** Times of one contestant over the rounds, in nanoseconds a call. */
export interface Timing {
  readonly name: string;
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** How many times as fast as the hand-written loop: the median over the rounds. */
  readonly ofFloor: number;
}

/** Sums up rounds in which every contestant ran once; the first named is the floor. */
export function summarise(rounds: readonly ReadonlyMap<string, number>[]): Timing[] {
  const names = [...(rounds[0]?.keys() ?? [])];
  const floor = names[0] as string;
  return names.map((name) => {
    const times = rounds.map((round) => round.get(name) as number);
    const ratios = rounds.map((round) => (round.get(floor) as number) / (round.get(name) as number));
    return {
      name,
      median: median(times),
      least: Math.min(...times),
      most: Math.max(...times),
      ofFloor: median(ratios),
    };
  });
}
