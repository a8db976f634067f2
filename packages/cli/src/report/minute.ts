import type { Minute } from "../replay/busiest-minutes.js";

const MS_PER_MINUTE = 60_000;

/** When a minute begins. */
export function startOf({ number }: Minute): Date {
  return new Date(number * MS_PER_MINUTE);
}
