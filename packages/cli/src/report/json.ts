import { Duration } from "@sluice/core";
import type { Limit } from "../replay/limit.js";
import { startOf } from "./minute.js";
import type { Summary } from "./summary.js";

/** The report for programs: one JSON object in one line. A limit of `null` means that no limit would do. */
export function jsonReport(summary: Summary): string {
  const { options, requests, refused, top, busiestMinutes } = summary;
  const report = {
    requests,
    keys: summary.keys,
    malformed: summary.malformed,
    outOfOrder: summary.outOfOrder,
    late: summary.late,
    admitted: requests - refused,
    refused,
    shareRefused: refused / requests,
    keysRefused: summary.keysRefused,
    top,
    busiestMinutes: busiestMinutes.map((minute) => ({
      minute: startOf(minute).toISOString(),
      requests: minute.requests,
      refused: minute.refused,
    })),
    from: summary.from.toISOString(),
    to: summary.to.toISOString(),
    // JSON writes Infinity, where no limit would do, as null.
    smallestLimits: summary.smallestLimits.map((limits, i) => ({
      interval: intervalOf(options.limits[i] as Limit),
      ...limits,
    })),
    rates: options.limits.map(({ rate }) => String(rate)),
    algorithm: options.algorithm.name,
    key: options.kind,
    files: options.files,
    seconds: Math.round(summary.seconds * 1000) / 1000,
  };
  return `${JSON.stringify(report)}\n`;
}

function intervalOf({ rate }: Limit): string {
  return Duration.readable(rate.interval);
}
