import type { Meter } from "@opentelemetry/api";
import type { Limiter } from "@sluice/core";
import { defaultMeter } from "./metrics-listener.js";

/**
 * Measures how many callers wait in `acquire`: the gauge `sluice.waiters`, in `{caller}`,
 * with the limiter's name as `sluice.limiter`.
 *
 * @param meter The meter to measure with; that of the global provider when left out.
 * @returns A function that ends it.
 *
 * @example
 * ```ts
 * import { Limiter } from "@sluice/core";
 * import { InMemoryBucket } from "@sluice/memory";
 * import { observeWaiters } from "@sluice/otel";
 *
 * using limiter = new Limiter(new InMemoryBucket("100/min"), { name: "sign-in" });
 * const end = observeWaiters(limiter);
 * end();
 * ```
 */
export function observeWaiters(limiter: Limiter<"sync"> | Limiter<"async">, meter: Meter = defaultMeter()): () => void {
  const gauge = meter.createObservableGauge("sluice.waiters", {
    description: "Callers that wait for units.",
    unit: "{caller}",
  });
  const observe: Parameters<typeof gauge.addCallback>[0] = (result) =>
    result.observe(limiter.waiting, { "sluice.limiter": limiter.name });
  gauge.addCallback(observe);
  return () => gauge.removeCallback(observe);
}
