/**
 * Contestants that take turns, so that whatever else the machine does hits them alike.
 *
 * @module
 */
import { median } from "./statistics.js";

/** Rounds that do not count. */
const WARM_UP = 4;
/** How many turns make a round, which is their median: what else the machine does comes into few of them. */
const TURNS = 15;

/** Lets each contestant run once a turn, for a short while; gives what came of them, turn by turn. */
export async function takeTurns<T>(
  slices: Readonly<Record<string, () => T | Promise<T>>>,
  turns: number,
): Promise<Map<string, T>[]> {
  const line = Object.entries(slices);
  const measured: Map<string, T>[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const results: T[] = [];
    for (let i = 0; i < line.length; i++) {
      // Everyone is first at times.
      const at = (i + turn) % line.length;
      results[at] = await (line[at] as (typeof line)[number])[1]();
    }
    measured.push(new Map(line.map(([name], i) => [name, results[i] as T])));
  }
  return measured;
}

/** The medians of the turns of each round, after a warm-up. */
export async function takeRounds(
  slices: Readonly<Record<string, () => number | Promise<number>>>,
  rounds: number,
): Promise<Map<string, number>[]> {
  const measured: Map<string, number>[] = [];
  for (let round = 0; round < rounds + WARM_UP; round++) {
    const turns = await takeTurns(slices, TURNS);
    const medianOf = (name: string) => median(turns.map((times) => times.get(name) as number));
    if (round >= WARM_UP) measured.push(new Map(Object.keys(slices).map((name) => [name, medianOf(name)])));
  }
  return measured;
}

/** What the others take more than the one called `name`, round by round. */
export function beyond(name: string, rounds: readonly ReadonlyMap<string, number>[]): Map<string, number>[] {
  return rounds.map((times) => {
    const least = times.get(name) as number;
    return new Map([...times].filter(([other]) => other !== name).map(([other, time]) => [other, time - least]));
  });
}

/** Nanoseconds from `start` until now, by `count`. */
export function nsEach(start: bigint, count: number): number {
  return Number(process.hrtime.bigint() - start) / count;
}

/** @throws Error where what came out is not what should: a contestant that does not do its work is not fast but wrong. */
export function expectSame(what: string, actual: unknown, expected: unknown): void {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== should) throw new Error(`${what}: ${is} and not ${should}.`);
}
