/**
 * OpenTelemetry metrics of what Sluice decides.
 *
 * @module
 */
export { type MetricsOptions, metricsListener } from "./metrics-listener.js";
export { observeWaiters } from "./observe-waiters.js";
