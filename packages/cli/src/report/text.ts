/**
 * The report for people.
 *
 * @module
 */
import { Duration } from "@sluice/core";
import type { Limit } from "../replay/limit.js";
import { startOf } from "./minute.js";
import type { Summary } from "./summary.js";
import { count, share, table } from "./table.js";

/** Characters of a key that are shown. */
const LONGEST_KEY = 60;

/** The report as aligned plain text, without colours. */
export function textReport(summary: Summary): string {
  return [heading(summary), totals(summary), mostRefused(summary), busiestMinutes(summary), smallestLimits(summary)]
    .filter((section) => section !== "")
    .join("\n");
}

function heading({ options, requests, keys, from, to }: Summary): string {
  const rates = options.limits.map(({ rate }) => String(rate)).join(" and ");
  return (
    `${rates} by ${options.algorithm.name}, for each ${options.kind}\n` +
    `${count(requests)} requests of ${count(keys)} keys from ${readable(from, 19)} to ${readable(to, 19)} UTC\n`
  );
}

function totals({ requests, refused, keys, keysRefused, malformed, outOfOrder, late, options }: Summary): string {
  const rows = [
    ["admitted", count(requests - refused), share(requests - refused, requests)],
    ["refused", count(refused), share(refused, requests)],
    ["keys refused at least once", count(keysRefused), share(keysRefused, keys)],
    ["lines out of order", count(outOfOrder)],
    ["lines that could not be read", count(malformed)],
  ];
  if (late > 0) rows.push([`lines more than ${Duration.readable(options.window / 1000)} late`, count(late)]);
  return table(rows);
}

function mostRefused({ top }: Summary): string {
  if (top.length === 0) return "";
  const rows = top.map(({ key, refused, requests }) => [printable(key), count(refused), count(requests)]);
  return table([["refused most", "refused", "requests"], ...rows]);
}

function busiestMinutes({ busiestMinutes }: Summary): string {
  const rows = busiestMinutes.map((minute) => [
    readable(startOf(minute), 16),
    count(minute.refused),
    count(minute.requests),
  ]);
  return table([["busiest minutes", "refused", "requests"], ...rows]);
}

function smallestLimits({ smallestLimits, options }: Summary): string {
  const rows = smallestLimits.map((limits, i) => [
    `in ${Duration.readable((options.limits[i] as Limit).rate.interval)}`,
    limit(limits.refusingNobody),
    limit(limits.refusingOnePerMille),
    limit(limits.refusingOnePercent),
  ]);
  return table([["smallest limit refusing", "nobody", "0.1 % of keys", "1 % of keys"], ...rows]);
}

function limit(value: number): string {
  return Number.isFinite(value) ? count(value) : "none (burst too small)";
}

/** The first characters of a date in UTC: 16 for minutes, 19 for seconds. */
function readable(date: Date, length: 16 | 19): string {
  return date.toISOString().slice(0, length).replace("T", " ");
}

/** A key as one short line: what a client sends must not steer the terminal. */
function printable(key: string): string {
  const escaped = key.replace(/\p{C}/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
  return escaped.length > LONGEST_KEY ? `${escaped.slice(0, LONGEST_KEY - 1)}…` : escaped;
}
