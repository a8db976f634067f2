import { type Decision, type Rate, type Step, toMicroseconds, toMilliseconds } from "@sluice/core";

/**
 * The decisions of one step on a log, from what the server tells of it: the instant, the
 * newest entry, what each rate had left, and the waits of those that were not admitted;
 * of a booking the waits always, and last how long until its units may be used.
 */
export function decisionsOf(numbers: readonly number[], step: Step, rates: readonly Rate[]): Decision[] {
  const [at = 0, newestOrNone = -1] = numbers;
  const left = numbers.slice(2, 2 + rates.length);
  const waits = numbers.slice(2 + rates.length);
  const longest = toMicroseconds((rates[rates.length - 1] as Rate).interval);
  let newest = newestOrNone < 0 ? undefined : newestOrNone;
  if (step.operation === "reserve") {
    const delay = waits.pop() as number;
    const allowed = delay <= step.time;
    const reset = resetAfter(at, newest, longest);
    if (!allowed && waits.some((wait) => wait > 0)) return [refusal(waits, left, step.weight, rates, reset)];
    return [{ ...admission(left, 0, rates, reset), allowed, retryAfter: toMilliseconds(delay) }];
  }
  const decisions: Decision[] = [];
  const weight = step.operation === "put" || step.operation === "peek" ? step.weight : 0;
  const takes = step.operation === "put" ? weight : 0;
  for (let i = 0; i < step.count; i++) {
    const refused = weight > 0 && left.some((units) => weight > units);
    if (refused) {
      decisions.push(refusal(waits, left, weight, rates, resetAfter(at, newest, longest)));
    } else {
      const instant = weight > 0 ? Math.max(at, newest ?? at) : newest;
      decisions.push(admission(left, weight, rates, resetAfter(at, instant, longest)));
      if (takes > 0) newest = instant;
      for (let rate = 0; rate < rates.length; rate++) (left[rate] as number) -= takes;
    }
  }
  return decisions;
}

function admission(left: readonly number[], weight: number, rates: readonly Rate[], reset: number): Decision {
  const fewest = Math.min(...left);
  return {
    allowed: true,
    remaining: Math.max(0, fewest - weight),
    retryAfter: 0,
    resetAfter: toMilliseconds(reset),
    rate: rates[left.indexOf(fewest)] as Rate,
    degraded: false,
  };
}

function refusal(
  waits: readonly number[],
  left: readonly number[],
  weight: number,
  rates: readonly Rate[],
  reset: number,
): Decision {
  const all = rates.map(({ limit }, rate) => (weight > limit ? Number.POSITIVE_INFINITY : (waits[rate] as number)));
  const longest = Math.max(...all);
  return {
    allowed: false,
    remaining: Math.max(0, Math.min(...left)),
    retryAfter: toMilliseconds(longest),
    resetAfter: toMilliseconds(reset),
    rate: rates[all.indexOf(longest)] as Rate,
    degraded: false,
  };
}

function resetAfter(at: number, newest: number | undefined, longest: number): number {
  return newest === undefined ? 0 : Math.max(0, Math.ceil(newest) + longest - at);
}
