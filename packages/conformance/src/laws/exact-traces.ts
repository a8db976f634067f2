import { same } from "../check.js";
import type { Law } from "../law.js";
import { loadTraces } from "../traces.js";

/** The traces of the package, decision by decision. */
export const exactTraces: Law = {
  name: "decides the exact traces",
  async check({ algorithm, open }) {
    for (const [number, { rates, events }] of loadTraces(algorithm.name).entries()) {
      const { bucket } = await open(rates);
      for (const { at, weight, rate, ...expected } of events) {
        const {
          allowed,
          retryAfter,
          remaining,
          resetAfter,
          rate: binding,
        } = await bucket.put({ key: "ada", weight, timestamp: at });
        const decision = { allowed, retryAfter, remaining, resetAfter, rate: bucket.rates.indexOf(binding) };
        same(`trace ${number}, weight ${weight} at ${at} ms`, decision, { ...expected, rate });
      }
    }
  },
};
