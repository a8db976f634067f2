import type { Rate } from "./rate.js";

/** The answer of one put, charge, refund or peek. All times are milliseconds. */
export interface Decision {
  /** Whether the item was (or, for a peek, would be) admitted. */
  readonly allowed: boolean;
  /** Whole units that would still be admitted at this instant, after this decision, over all rates. */
  readonly remaining: number;
  /**
   * 0 when allowed. Else the time until this very item would be admitted if nothing else
   * came: a retry then is admitted, and one a microsecond earlier is refused. `Infinity`
   * when the weight exceeds a capacity, so that it can never be admitted.
   */
  readonly retryAfter: number;
  /** Time until the key's state is as good as new. */
  readonly resetAfter: number;
  /**
   * The rate that binds: on refusal the one with the longest wait, else the one with the
   * fewest units left; among equals the one with the shortest interval.
   */
  readonly rate: Rate;
  /** True where the answer did not come from the store that should have given it. */
  readonly degraded: boolean;
}
