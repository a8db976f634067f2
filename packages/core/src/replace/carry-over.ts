/**
 * How what counts under old rates comes under new ones: key by key, at its first touch.
 *
 * Two cells have to change, and no store changes both in one step. So the units are first
 * added to the new cell and then the old one is taken away, each only where nobody else
 * changed it meanwhile: whoever dies in between leaves units that count twice, and never
 * units that do not count. Where somebody else was faster with the old cell, so that it is
 * gone or holds something else, the units are taken out of the new one again, and all
 * begins anew. So each unit comes over once, however many processes do this at once.
 *
 * @module
 */
import type { State } from "../algorithms/kernel.js";
import { copyState, isFresh } from "../algorithms/state.js";
import { StoreError } from "../errors.js";
import { andThen, type Mode, type Outcome } from "../mode.js";
import { describe } from "../rate.js";
import type { Generation } from "./generation.js";
import type { CarryStrategy } from "./strategy.js";

/** Others change a cell that often in a row only when something is wrong. */
const MOST_ATTEMPTS = 1000;

/** From which cells to which, and how. */
export interface Route<M extends Mode> {
  readonly mode: M;
  readonly from: Generation<M>;
  readonly to: Generation<M>;
  readonly strategy: CarryStrategy;
  /** When the rates were replaced, by what the store's clock shows now; in microseconds. */
  readonly replacedAt: (now: number) => number;
}

/** Carries over what counts for a key. */
export function carryOver<M extends Mode>(route: Route<M>, key: string, attempt = 1): Outcome<M, void> {
  const { mode, from, to, strategy } = route;
  const older = from.kernel;
  const newer = to.kernel;
  return andThen(mode, from.read(key), ({ state, now }) => {
    // Until the rates were replaced, time gave units back at the old ones.
    const at = route.replacedAt(now);
    if (isFresh(older, state) || older.reset(state, at, 0) === 0) return undefined;
    if (attempt > MOST_ATTEMPTS) throw tooBusy(key);
    const part = newer.inherit(older, state, at, strategy);
    const add = change(route, key, (cell, then) => newer.merge(cell, part, then));
    return andThen(mode, add, () =>
      andThen(mode, from.exchange(key, state, older.fresh()), (done: boolean) => {
        if (done) return undefined;
        const takeBack = change(route, key, (cell, then) => newer.unmerge(cell, part, then));
        return andThen(mode, takeBack, () => carryOver(route, key, attempt + 1));
      }),
    );
  });
}

/** Changes the new cell of a key, as often as it takes to do so in one step. */
function change<M extends Mode>(
  route: Route<M>,
  key: string,
  edit: (state: State, now: number) => void,
  attempt = 1,
): Outcome<M, void> {
  const { mode, to } = route;
  const kernel = to.kernel;
  return andThen(mode, to.read(key), ({ state, now }) => {
    if (attempt > MOST_ATTEMPTS) throw tooBusy(key);
    const next = copyState(kernel, state);
    edit(next, now);
    // What is as good as new need not be there.
    const written = kernel.reset(next, now, 0) === 0 ? kernel.fresh() : next;
    return andThen(mode, to.exchange(key, state, written), (done: boolean) =>
      done ? undefined : change(route, key, edit, attempt + 1),
    );
  });
}

function tooBusy(key: string): StoreError {
  const rule = `others changed its cell ${MOST_ATTEMPTS} times before it could be done`;
  return new StoreError(`Cannot carry ${describe(key)} over to new rates: ${rule}. Retry.`);
}
