/**
 * What can still be given back of the bookings of one key.
 *
 * A booking that is taken back gives its units back, save those that would not be in use
 * any more without it: those that flowed back while nothing else was in use. So they are
 * never more than the least that has been in use at any moment since the booking. That
 * least is all there is to remember of a booking; later ones have the same or more.
 *
 * It is kept in rows of an array: the number of a booking, and its least for each rate, in
 * the units of the kernel. The row of a booking is the first whose number is no less than
 * its own, since one row will do for bookings of which the least is the same. The first row
 * stands for all before it, of which nothing can be given back.
 *
 * Dialects do the same in the same order, see `open-bookings.lua` and `token-bucket.sql`.
 *
 * @module
 */
import { scaleDown } from "../replace/strategy.js";

/** Rows at most; where more would be needed, those whose least differs the least share one, and the lesser least. */
export const MOST_ROWS = 64;

/** The number of a booking that was made at `now`: higher than all before it. */
export function nextNumber(rows: readonly number[] | undefined, now: number, rates: number): number {
  return Math.max(now, rows?.[rows.length - rates - 1] ?? 0) + 1;
}

/** Adds a booking with which so much is in use under each rate. */
export function withBooking(rows: readonly number[] | undefined, number: number, used: readonly number[]): number[] {
  const all = rows === undefined ? [number - 1, ...used.map(() => 0)] : [...rows];
  all.push(number, ...used);
  return shortened(all, used.length, MOST_ROWS);
}

/** What is left to know at `now`, when so much is in use under each rate; `undefined` for nothing. */
export function lowered(rows: readonly number[], used: readonly number[], now: number): number[] | undefined {
  return changed(rows, used.length, now, (least, rate) => Math.min(least, used[rate] as number));
}

/** The least for each rate that has been in use since a booking. */
export function leastSince(rows: readonly number[] | undefined, number: number, rates: number): number[] {
  for (let at = 0; rows !== undefined && at < rows.length; at += rates + 1) {
    if ((rows[at] as number) >= number) return rows.slice(at + 1, at + 1 + rates);
  }
  return new Array<number>(rates).fill(0);
}

/** What is left to know at `now`, when so much was given back of a booking of which the least was that. */
export function withoutUnits(
  rows: readonly number[],
  number: number,
  least: readonly number[],
  given: readonly number[],
  now: number,
): number[] | undefined {
  return changed(rows, given.length, now, (before, rate, of) => {
    const gone = given[rate] as number;
    return of >= number ? before - gone : Math.min(before, (least[rate] as number) - gone);
  });
}

/** What is left to know under other rates: for each the place of the one that it takes over from, and how many steps come of so many. */
export function underOtherRates(
  rows: readonly number[],
  rates: number,
  columns: readonly { readonly place: number; readonly steps: number; readonly olderSteps: number }[],
): number[] {
  const next: number[] = [];
  for (let at = 0; at < rows.length; at += rates + 1) {
    next.push(rows[at] as number);
    for (const { place, steps, olderSteps } of columns) {
      next.push(scaleDown(rows[at + 1 + place] as number, steps, olderSteps));
    }
  }
  return next;
}

/** The same in so many rows at most; less can be given back by it, never more. */
export function shortened(rows: number[], rates: number, most: number): number[] {
  const width = rates + 1;
  while (rows.length > most * width) {
    let best = 0;
    let nearest = -1;
    for (let at = 0; at + width < rows.length; at += width) {
      const near = nearness(rows, at, rates);
      if (near > nearest) [best, nearest] = [at, near];
    }
    // The number of the later and the least of the earlier.
    rows[best] = rows[best + width] as number;
    rows.splice(best + width, width);
  }
  return rows;
}

/** How near a row is to the next: the smallest share that its least is of the other's. */
function nearness(rows: readonly number[], at: number, rates: number): number {
  let near = 1;
  for (let i = at + 1; i <= at + rates; i++) {
    const next = rows[i + rates + 1] as number;
    if (next > 0) near = Math.min(near, (rows[i] as number) / next);
  }
  return near;
}

/** Rows with another least; of those that are the same then, the last stays. */
function changed(
  rows: readonly number[],
  rates: number,
  now: number,
  least: (before: number, rate: number, number: number) => number,
): number[] | undefined {
  const width = rates + 1;
  const next: number[] = [];
  let counts = false;
  for (let at = 0; at < rows.length; at += width) {
    const number = rows[at] as number;
    const row = rows.slice(at + 1, at + width).map((before, rate) => least(before, rate, number));
    const last = next.slice(-rates);
    if (next.length > 0 && row.every((units, rate) => units === last[rate])) next.splice(-width);
    next.push(number, ...row);
    counts ||= row.some((units) => units > 0);
  }
  // A number is not given out again.
  return counts || (next[next.length - width] as number) > now ? next : undefined;
}
