import { type Attributes, type Meter, metrics } from "@opentelemetry/api";
import { type BucketListener, type DecisionEvent, describe, type ErrorEvent } from "@sluice/core";

/** What {@link metricsListener} can be told. */
export interface MetricsOptions {
  /** What is limited, such as `"sign-in"`: the attribute `sluice.limiter` of all measurements. */
  readonly limiter: string;
  /** The meter to measure with; that of the global provider named `@sluice/otel` when left out. */
  readonly meter?: Meter;
  /**
   * Makes the attribute `sluice.key` from a key. Left out, no measurement tells a key: there may be millions,
   * each a time series of its own, and they may be personal. Return few values, such as a plan or a tenant.
   */
  readonly keyAttribute?: (key: string) => string;
}

/** Seconds: from a table in memory to a database that has trouble. */
const BOUNDARIES = [0.000_01, 0.000_1, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/**
 * A listener for `withObserver` that feeds OpenTelemetry metrics.
 *
 * | instrument | kind, unit | attributes |
 * | --- | --- | --- |
 * | `sluice.decisions` | counter, `{decision}` | `sluice.outcome` (`allowed`, `refused`), `sluice.operation`, `sluice.degraded` |
 * | `sluice.operation.duration` | histogram, `s` | `sluice.operation`; `error.type` where it failed |
 * | `sluice.evictions` | counter, `{key}` | |
 *
 * All have `sluice.limiter`.
 *
 * @example
 * ```ts
 * import { withObserver } from "@sluice/core";
 * import { InMemoryBucket } from "@sluice/memory";
 * import { metricsListener } from "@sluice/otel";
 *
 * const bucket = withObserver(new InMemoryBucket("100/min"), metricsListener({ limiter: "sign-in" }));
 * bucket.tryPut("ada"); // => true
 * ```
 */
export function metricsListener(options: MetricsOptions): BucketListener {
  const { limiter, meter = defaultMeter(), keyAttribute } = checkOptions(options);
  const decisions = meter.createCounter("sluice.decisions", {
    description: "Decisions, by their outcome.",
    unit: "{decision}",
  });
  const durations = meter.createHistogram("sluice.operation.duration", {
    description: "How long the store of a limiter took.",
    unit: "s",
    advice: { explicitBucketBoundaries: BOUNDARIES },
  });
  const evictions = meter.createCounter("sluice.evictions", {
    description: "Keys that lost units that counted, to make room for others.",
    unit: "{key}",
  });
  const common = ({ operation, key }: DecisionEvent | ErrorEvent): Attributes => ({
    "sluice.limiter": limiter,
    "sluice.operation": operation,
    ...(keyAttribute === undefined ? {} : { "sluice.key": keyAttribute(key) }),
  });
  return {
    onDecision(event) {
      const { allowed, degraded } = event.decision;
      const attributes = common(event);
      const outcome = allowed ? "allowed" : "refused";
      decisions.add(1, { ...attributes, "sluice.outcome": outcome, "sluice.degraded": degraded });
      durations.record(event.duration / 1000, attributes);
    },
    onError(event) {
      durations.record(event.duration / 1000, { ...common(event), "error.type": errorType(event.error) });
    },
    onEviction(count) {
      evictions.add(count, { "sluice.limiter": limiter });
    },
  };
}

function checkOptions(options: MetricsOptions): MetricsOptions {
  const way = 'Name what is limited, as in metricsListener({ limiter: "sign-in" }).';
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot measure with ${describe(options)}: it is not options. ${way}`);
  }
  const { limiter, keyAttribute } = options;
  if (typeof limiter !== "string") {
    throw new TypeError(`Cannot use ${describe(limiter)} as limiter: it is a text. ${way}`);
  }
  if (keyAttribute !== undefined && typeof keyAttribute !== "function") {
    const rule = "it is a function of the key";
    throw new TypeError(`Cannot use ${describe(keyAttribute)} as keyAttribute: ${rule}. Leave it out, or pass one.`);
  }
  return options;
}

/** The meter of the global provider. */
export function defaultMeter(): Meter {
  return metrics.getMeter("@sluice/otel");
}

function errorType(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  if (typeof code === "string") return code;
  return typeof name === "string" ? name : "_OTHER";
}
