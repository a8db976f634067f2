import type { Rate } from "@sluice/core";

/** A rate to replay, as the user gave it. */
export interface Limit {
  readonly rate: Rate;
  /** The burst that the user asked for; without one the burst is the limit, whatever limit is tried. */
  readonly burst: number | undefined;
}
