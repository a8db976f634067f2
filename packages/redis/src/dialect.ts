/**
 * The kernels in Lua.
 *
 * @module
 */
import type { Algorithm, Kernel } from "@sluice/core";
import * as lua from "./lua/embedded.js";
import { Script } from "./script.js";

/** The scripts of one rule. They know no rates and no names, so that Redis keeps few of them. */
export interface Dialect {
  /** Carries out the steps of a trip. */
  readonly trip: Script;
  /** Puts one item of one key by the server's clock; told its units and the parameters of the one rate. */
  readonly put: Script | undefined;
  /** Drops the cells that are as good as new. */
  readonly leak: Script;
  /** Reads all of one cell, where a trip does not tell it. */
  readonly read: Script | undefined;
  /** Writes one cell where it still is as it was. */
  readonly exchange: Script;
}

/** The dialect of each rule, for kernels of one rate and of several. */
const DIALECTS: Readonly<Record<string, readonly [one: Dialect, several: Dialect]>> = {
  "token-bucket": cellDialects(lua.tokenBucket, new Script(lua.tokenBucketPut), lua.openBookings),
  "fixed-window": cellDialects(lua.fixedWindow, putOf(lua.fixedWindow)),
  "sliding-window-counter": cellDialects(lua.slidingWindowCounter, putOf(lua.slidingWindowCounter)),
  "sliding-window-log": [logDialect(), logDialect()],
};

/** The dialect of a kernel. */
export function dialectOf(algorithm: Algorithm, { rule, rates }: Kernel): Dialect {
  const dialects = Object.hasOwn(DIALECTS, rule) ? DIALECTS[rule] : undefined;
  if (dialects !== undefined) return dialects[rates.length === 1 ? 0 : 1];
  const known = Object.keys(DIALECTS).join(", ");
  const reason = `there is no Lua for the rule ${JSON.stringify(rule)}, but for ${known}`;
  throw new TypeError(
    `Cannot keep ${algorithm.name} in Redis: ${reason}. Use an algorithm of @sluice/core, or another bucket.`,
  );
}

/** The script for one put that a rule has no shorter one for. */
function putOf(rule: string): Script {
  return new Script(lua.putStart, lua.life, rule, lua.cellOne, lua.cellPut);
}

/** @param bookings Where the rule books, how. */
function cellDialects(rule: string, put: Script, bookings = ""): [one: Dialect, several: Dialect] {
  const leak = new Script(lua.prelude, lua.steps, rule, lua.cellLeak);
  const trip = (...parts: string[]) => new Script(lua.prelude, lua.steps, lua.life, rule, bookings, ...parts);
  const exchange = new Script(lua.prelude, lua.life, rule, lua.cellExchange);
  return [
    { trip: trip(lua.cellOne, lua.cellTripOne), put, leak, read: undefined, exchange },
    { trip: trip(lua.cellTripMany), put: undefined, leak, read: undefined, exchange },
  ];
}

function logDialect(): Dialect {
  return {
    trip: new Script(lua.prelude, lua.steps, lua.life, lua.log, lua.logWrite, lua.logTrip),
    put: undefined,
    leak: new Script(lua.prelude, lua.log, lua.logLeak),
    read: new Script(lua.prelude, lua.log, lua.logRead),
    exchange: new Script(lua.prelude, lua.life, lua.log, lua.logWrite, lua.logExchange),
  };
}
