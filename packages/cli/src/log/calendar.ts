/** Microseconds in a second. */
export const SECOND = 1_000_000;
/** Microseconds in a minute. */
export const MINUTE = 60 * SECOND;

/**
 * The start of a minute of the calendar, in microseconds since 1970.
 *
 * @param month 1 to 12.
 * @param zone The offset from UTC: `Z`, `+0200` or `+02:00`.
 * @returns NaN for a minute that no calendar has, such as one of 30 February.
 */
export function startOfMinute(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  zone: string,
): number {
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute));
  const exists = date.getUTCMonth() === month - 1 && hour < 24 && minute < 60;
  return exists ? date.getTime() * 1000 - zoneOffset(zone) : Number.NaN;
}

function zoneOffset(zone: string): number {
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(zone) ?? [];
  const offset = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * MINUTE;
  return sign === "-" ? -offset : offset;
}
