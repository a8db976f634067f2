/**
 * The rounds of HTTP: a request is so short that what else the machine does would show.
 *
 * @module
 */
import { median } from "./statistics.js";
import { type Slice, takeTurns } from "./turns.js";

/** Rounds that do not count. */
const WARM_UP = 4;
/** How many turns make a round, which is their median: what else the machine does comes into few of them. */
const TURNS = 15;

/** The medians of the turns of each round, after a warm-up. */
export async function takeRounds(
  slices: Readonly<Record<string, Slice<number>>>,
  rounds: number,
): Promise<Map<string, number>[]> {
  const measured: Map<string, number>[] = [];
  for (let round = -WARM_UP; round < rounds; round++) {
    const turns = await takeTurns(slices, TURNS);
    const medianOf = (name: string) => median(turns.map((times) => times.get(name) as number));
    if (round >= 0) measured.push(new Map([...(turns[0]?.keys() ?? [])].map((name) => [name, medianOf(name)])));
  }
  return measured;
}

/** What the others take more than the one called `name`, round by round; all that they take where it is not there. */
export function beyond(name: string, rounds: readonly ReadonlyMap<string, number>[]): Map<string, number>[] {
  return rounds.map((times) => {
    const least = times.get(name) ?? 0;
    return new Map([...times].filter(([other]) => other !== name).map(([other, time]) => [other, time - least]));
  });
}
