import type { QueueMetrics } from "./metrics.js";

/** What {@link RequestQueue.advice} may come to. */
export type QueueVerdict = "not-enough-data" | "scale-up" | "add-replicas" | "watch" | "right-sized" | "may-be-smaller";

/** What the metrics of a queue say of its size. */
export interface QueueAdvice {
  /** What to do, for a program to read. */
  readonly verdict: QueueVerdict;
  /** Why, with the numbers, for people. */
  readonly reason: string;
}

/** How many must have come before a share of them means anything, and before a thousandth does. */
const ENOUGH = 100;
const ENOUGH_FOR_THOUSANDTHS = 1000;

/** Reads the size of a queue from its metrics; see {@link RequestQueue.advice} for the rules. */
export function adviseOn(metrics: QueueMetrics, maxConcurrent: number): QueueAdvice {
  const { admitted, rejected, rejectionRate, crowdedRate, queued, peakActive } = metrics;
  const came = admitted + rejected.full + rejected.timeout;
  const refused = `${percent(rejectionRate)} of ${came} requests were refused`;
  if (came < ENOUGH) {
    return { verdict: "not-enough-data", reason: `${came} requests came so far, and ${ENOUGH} are needed.` };
  }
  if (rejectionRate > 0.05) {
    return { verdict: "scale-up", reason: `${refused}, more than 5 %. Add capacity, or send less.` };
  }
  if (crowdedRate > 0.1) {
    const reason = `${percent(crowdedRate)} of those who came found the queue full or nearly so. Add replicas before more are refused.`;
    return { verdict: "add-replicas", reason };
  }
  if (rejectionRate > 0.01) {
    return { verdict: "watch", reason: `${refused}, more than 1 % and no more than 5 %. Add capacity if it stays so.` };
  }
  if (came < ENOUGH_FOR_THOUSANDTHS) {
    const reason = `${refused}; to tell thousandths apart, ${ENOUGH_FOR_THOUSANDTHS} requests are needed.`;
    return { verdict: "not-enough-data", reason };
  }
  if (rejectionRate === 0 && queued === 0 && peakActive <= maxConcurrent / 2) {
    const reason = `Nobody was refused or had to wait, and no more than ${peakActive} of ${maxConcurrent} slots were ever in use. Less capacity may do.`;
    return { verdict: "may-be-smaller", reason };
  }
  return { verdict: "right-sized", reason: `${refused}, no more than 1 %. Leave it as it is.` };
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`;
}
