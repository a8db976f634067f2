/**
 * What the scripts are told beside their keys, see `lua/prelude.lua` and `lua/steps.lua`.
 *
 * @module
 */
import type { CellSteps, Kernel, Step, StepOperation } from "@sluice/core";
import { largeSevenBits, SMALL, sevenBits, WHOLE } from "./seven-bits.js";

/** Who decides the time: the server, the server save for some steps, or the client. */
export type TimeMode = "server" | "some instants" | "client";

const MODES: Record<TimeMode, number> = { server: 0, "some instants": 1, client: 2 };
const OPERATIONS: Record<StepOperation, number> = { peek: 0, put: 1, charge: 2, refund: 3, reserve: 32, cancel: 33 };
const LAST = 4;
const HAS_INSTANT = 8;
const ONE_UNIT = 16;
const HAS_TIME = 32;

/** The beginning of what every script is told. */
export function preamble(kernel: Kernel, mode: TimeMode): string {
  const rates = kernel.rates.map((_, rate) => {
    const [a = 0, b = 0, c = 0] = kernel.parameters(rate);
    return largeSevenBits(a) + largeSevenBits(b) + largeSevenBits(c);
  });
  return String.fromCharCode(MODES[mode]) + sevenBits(rates.length, SMALL) + rates.join("");
}

/** The steps of a trip, as text; keys in a row that have the same one step share it. */
export function stepsText(cells: readonly CellSteps[]): string {
  let text = "";
  let shared: Step | undefined;
  let span = 0;
  for (const { steps } of cells) {
    const alone = steps.length === 1 ? (steps[0] as Step) : undefined;
    if (alone !== undefined && shared !== undefined && isSame(alone, shared)) {
      span++;
      continue;
    }
    if (shared !== undefined) text += stepText(shared, true, span);
    shared = alone;
    span = 1;
    if (alone === undefined) for (const [i, step] of steps.entries()) text += stepText(step, i === steps.length - 1, 1);
  }
  return shared === undefined ? text : text + stepText(shared, true, span);
}

/** Whether any step names its instant. */
export function hasInstant(cells: readonly CellSteps[]): boolean {
  for (const { steps } of cells) for (const { at } of steps) if (at !== undefined) return true;
  return false;
}

function isSame(a: Step, b: Step): boolean {
  return (
    a.weight === b.weight && a.operation === b.operation && a.count === b.count && a.at === b.at && a.time === b.time
  );
}

function stepText({ operation, weight, count, at, time }: Step, last: boolean, span: number): string {
  // Whatever is done with no units changes nothing.
  let flags = OPERATIONS[weight === 0 ? "peek" : operation];
  const hasTime = flags >= HAS_TIME;
  const isOne = weight === 1 && count === 1 && !hasTime;
  if (last) flags += LAST;
  if (at !== undefined) flags += HAS_INSTANT;
  if (isOne) flags += ONE_UNIT;
  const units = isOne ? "" : sevenBits(count, SMALL) + sevenBits(weight, WHOLE);
  const instant = at === undefined ? "" : sevenBits(at, WHOLE);
  return (
    String.fromCharCode(flags) + sevenBits(span, SMALL) + units + instant + (hasTime ? sevenBits(time, WHOLE) : "")
  );
}
