/** The smallest limits at one interval, each with the share of keys that it would have refused something. */
export interface SmallestLimits {
  /** `Infinity` where every limit would have refused somebody. */
  readonly refusingNobody: number;
  readonly refusingOnePercent: number;
  readonly refusingOnePerMille: number;
}

/**
 * The smallest limits that would have refused at most a share of the keys at least once.
 *
 * @param limits For each key, the smallest limit that would have refused it nothing.
 */
export function smallestLimits(limits: Float64Array): SmallestLimits {
  const sorted = limits.toSorted();
  /** All but the `spared` most demanding keys are content with this limit. */
  const sparing = (spared: number) => sorted[sorted.length - 1 - spared] ?? 0;
  return {
    refusingNobody: sparing(0),
    refusingOnePercent: sparing(Math.floor(sorted.length / 100)),
    refusingOnePerMille: sparing(Math.floor(sorted.length / 1000)),
  };
}
