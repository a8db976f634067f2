/**
 * Contestants that take turns, so that whatever else the machine does hits them alike.
 *
 * @module
 */

/** The contestant that was named on the command line; all take their turns where none was. */
const { SLUICE_BENCH_ONLY: ONLY } = process.env;

/** Runs for a short while. Turns of the warm-up are below 0; `undefined` means that this one is left out. */
export type Slice<T> = (turn: number) => T | Promise<T>;

/** Lets each contestant run once a turn; gives what came of the turns after the warm-up, one by one. */
export async function takeTurns<T>(
  slices: Readonly<Record<string, Slice<T | undefined>>>,
  turns: number,
  warmUp = 0,
): Promise<Map<string, T>[]> {
  const line = Object.entries(slices).filter(([name]) => ONLY === undefined || name === ONLY);
  if (line.length === 0) throw new Error(`There is no ${ONLY} here: name one of ${Object.keys(slices).join(", ")}.`);
  const measured: Map<string, T>[] = [];
  for (let turn = -warmUp; turn < turns; turn++) {
    const results = new Map<string, T>();
    for (let i = 0; i < line.length; i++) {
      // Everyone is first at times.
      const [name, slice] = line[(i + turn + warmUp) % line.length] as (typeof line)[number];
      const result = await slice(turn);
      if (result !== undefined) results.set(name, result);
    }
    if (turn >= 0) measured.push(new Map(line.flatMap(([name]) => entryOf(results, name))));
  }
  return measured;
}

/** Nanoseconds from `start` until now, by `count`. */
export function nsEach(start: bigint, count: number): number {
  return Number(process.hrtime.bigint() - start) / count;
}

/** In the order of the line, whoever was first. */
function entryOf<T>(results: ReadonlyMap<string, T>, name: string): [string, T][] {
  const result = results.get(name);
  return result === undefined ? [] : [[name, result]];
}
