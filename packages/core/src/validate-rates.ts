import { Duration, toMicroseconds } from "./duration.js";
import { Rate, type RatesLike } from "./rate.js";

/**
 * Reads a list of rates, sorts it by interval and checks that each rate can bind.
 *
 * Each longer rate must have a larger limit (else the shorter could never bind) and
 * no higher density, limit per time (else the longer one could never bind).
 *
 * @returns A frozen list, shortest interval first.
 * @throws TypeError for what is not a rate, RangeError for rates that do not go together.
 *
 * @example
 * ```ts
 * import { validateRates } from "@sluice/core";
 *
 * validateRates(["1000/h", "100/min"]).map(String); // => ["100/1m", "1000/1h"]
 * ```
 */
export function validateRates(rates: RatesLike): readonly Rate[] {
  const list = (Array.isArray(rates) ? rates : [rates]).map((rate) => Rate.from(rate));
  if (list.length === 0)
    throw new RangeError('Cannot limit by an empty list of rates: pass at least one, such as "100/min".');
  list.sort((a, b) => a.interval - b.interval);
  for (let i = 1; i < list.length; i++) checkPair(list[i - 1] as Rate, list[i] as Rate);
  return Object.freeze(list);
}

function checkPair(shorter: Rate, longer: Rate): void {
  if (shorter.interval === longer.interval) {
    throw new RangeError(
      `Cannot use both "${shorter}" and "${longer}": they share the interval of ${Duration.readable(longer.interval)}. Keep the smaller one.`,
    );
  }
  if (longer.limit <= shorter.limit) {
    throw new RangeError(
      `Cannot use "${shorter}" beside "${longer}": the longer interval has no larger limit, so the shorter rate can never bind. Raise ${longer.limit} or drop "${shorter}".`,
    );
  }
  const density = (rate: Rate, other: Rate) => BigInt(rate.limit) * BigInt(toMicroseconds(other.interval));
  if (density(longer, shorter) > density(shorter, longer)) {
    throw new RangeError(
      `Cannot use "${longer}" beside "${shorter}": it admits more per time than the shorter rate, so it can never bind. Lower ${longer.limit} or drop "${longer}".`,
    );
  }
}
