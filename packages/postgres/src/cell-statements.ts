/**
 * The statements on cells, for one rule and so many rates.
 *
 * @module
 */
import type { Kernel } from "@sluice/core";
import type { Database, Statement } from "./database.js";
import { fill } from "./fill.js";
import type { Names } from "./names.js";
import {
  carryOut,
  carryOutAndRead,
  dropCell,
  exchangeCell,
  flushCells,
  leakCells,
  makeCell,
  putMany,
  putOne,
  putUpdate,
  readCells,
} from "./sql/embedded.js";

/** The functions that know a rule: the state after steps, whether one is as good as new, and each of two numbers after puts. */
interface RuleNames {
  readonly rule: string;
  readonly idle: string;
  readonly a?: string;
  readonly b?: string;
}

const RULES: Readonly<Record<string, (names: Names) => RuleNames>> = {
  "token-bucket": (names) => ({ rule: names.bucket, idle: names.bucket_idle, a: names.bucket_a, b: names.bucket_b }),
  "fixed-window": (names) => ({ rule: names.window, idle: names.window_idle, a: names.window_a, b: names.window_b }),
  "sliding-window-counter": (names) => ({ rule: names.counter, idle: names.counter_idle }),
};

/** Whether there is a dialect of a rule that keeps its state in cells. */
export function hasCells(rule: string): boolean {
  return Object.hasOwn(RULES, rule);
}

/** How the numbers of a state lie in a row `c`. */
interface Layout {
  /** The parameters of all rates, as an array. */
  readonly parameters: string;
  /** What a new row has for `state`. */
  readonly fresh: string;
  /** The state with the puts that are left in the row. */
  readonly folded: string;
  /** The same, as an update sets it. */
  readonly next: string;
  /** What an update sets for a state that is given as an array, and what an insert has for `a`, `b` and `state`. */
  readonly set: (given: string) => string;
  readonly made: (given: string) => string;
  /** The numbers of the state. */
  readonly numbers: readonly string[];
  /** What a trip of any steps keeps in `state`, `a` and `b` of the numbers before it and after. */
  readonly kept: string;
  /** The numbers before such a trip. */
  readonly found: readonly string[];
}

/** All statements on the cells of a bucket; the first values of each but `flush` are `parameters`. */
export class CellStatements {
  /** What the rates are to the rule. */
  readonly parameters: readonly string[];
  /** Puts for one key, by the server's time, and at a given one: key, units, weight, and the instant. */
  readonly putOne: Statement;
  readonly putOneAt: Statement;
  /** The same for several keys: lists of them. */
  readonly putMany: Statement;
  readonly putManyAt: Statement;
  /** Any steps: keys, and the steps of each. */
  readonly carryOut: Statement;
  /** No steps: keys. */
  readonly read: Statement;
  /** Steps for some keys, none for others: keys, steps, keys. */
  readonly carryOutAndRead: Statement;
  /** A state where there still is another one: key, that, the new one. */
  readonly exchange: Statement;
  /** A state where there is none: key, the new one. */
  readonly make: Statement;
  /** None where there still is a state: key, that. */
  readonly drop: Statement;
  /** First key, end, instant, and how many. */
  readonly leak: Statement;
  /** First key, end, and how many. */
  readonly flush: Statement;

  constructor(database: Database, kernel: Kernel, names: Names) {
    const ruleNames = (RULES[kernel.rule] as (names: Names) => RuleNames)(names);
    const parameters = kernel.rates.flatMap((_, rate) => kernel.parameters(rate));
    const isPair = kernel.width === 2;
    this.parameters = isPair ? parameters.map(String) : [`{${parameters}}`];
    const layout = isPair ? pair(ruleNames, parameters.length) : array(ruleNames, kernel.width);
    /** Placeholder of the n-th value after the parameters. */
    const $ = (n: number) => `$${this.parameters.length + n}`;
    const { set, made, ...texts } = layout;
    const base = {
      ...names,
      ...texts,
      ...ruleNames,
      numbers: layout.numbers.join(", "),
      found: layout.found.join(", "),
      zeros: zeros(kernel.width),
      width: String(kernel.width),
    };
    const now = fill("{now}", {});
    const put = (template: string, instant: string) => {
      const places = { key: $(1), units: $(2), weight: $(3), instant };
      return database.statement(fill(template, { ...base, ...places, update: fill(putUpdate, base) }));
    };
    const carry_out = fill(carryOut, { ...base, key: $(1), steps: $(2) });
    const read = (wanted: string) =>
      fill(readCells, {
        ...base,
        wanted,
        numbers: [...elements(0, kernel.width), `state[${kernel.width + 1}:]`].join(", "),
      });

    this.putOne = put(putOne, now);
    this.putOneAt = put(putOne, `${$(4)}::float8`);
    // The time is read once, and not for each row.
    this.putMany = put(putMany, `(SELECT ${now})`);
    this.putManyAt = put(putMany, `${$(4)}::float8`);
    this.carryOut = database.statement(carry_out);
    this.read = database.statement(read($(1)));
    this.carryOutAndRead = database.statement(fill(carryOutAndRead, { carry_out, read: read($(3)) }));
    const change = (template: string, places: Readonly<Record<string, string>>) =>
      database.statement(fill(template, { ...base, key: $(1), ...places }));
    this.exchange = change(exchangeCell, { was: $(2), set: set($(3)) });
    this.make = change(makeCell, { set: set($(2)), made: made($(2)) });
    this.drop = change(dropCell, { was: $(2) });
    // Planned anew each time: with how much there is, the way to it changes.
    this.leak = { text: fill(leakCells, { ...base, first: $(1), end: $(2), at: $(3), most: $(4) }) };
    this.flush = { text: fill(flushCells, base) };
  }
}

/** One rate of which the state is two numbers: they have columns. */
function pair({ rule, a, b }: RuleNames, count: number): Layout {
  const each = Array.from({ length: count }, (_, i) => `$${i + 1}::float8`).join(", ");
  const parameters = `ARRAY[${each}]`;
  const next = [a, b].map((name) => `${name}(c.a, c.b, c.at, c.units, c.weight, ${each})`);
  const all = `${rule}(ARRAY[c.a, c.b] || c.booked, ${PUTS}, c.at, ${parameters})`;
  return {
    parameters,
    fresh: "NULL::float8[]",
    folded: `CASE WHEN c.booked IS NULL THEN ARRAY[${next}] ELSE ${all} END`,
    next: `a = ${next[0]}, b = ${next[1]}, state = NULL, booked = CASE WHEN c.booked IS NOT NULL THEN ${rows(all, 2)} END`,
    set: (given) =>
      `a = (${given}::float8[])[1], b = (${given}::float8[])[2], state = NULL, booked = ${rows(`${given}::float8[]`, 2)}`,
    made: (given) => `(${given}::float8[])[1], (${given}::float8[])[2], NULL, ${rows(`${given}::float8[]`, 2)}`,
    numbers: ["a", "b"],
    kept: `before.numbers, after.numbers[1], after.numbers[2], ${rows("after.numbers", 2)}`,
    found: ["state[1]", "state[2]", "state[3:]"],
  };
}

/** Any other number of numbers: they lie in an array. */
function array({ rule }: RuleNames, width: number): Layout {
  const parameters = "$1::float8[]";
  const state = `c.state[:${width}] || c.booked`;
  const folded = `CASE WHEN c.units = 0 THEN ${state} ELSE ${rule}(${state}, ${PUTS}, c.at, ${parameters}) END`;
  return {
    parameters,
    fresh: zeros(width),
    folded,
    next: `(state, booked) = (SELECT numbers[:${width}], ${rows("numbers", width)} FROM (SELECT ${folded} AS numbers OFFSET 0) AS next)`,
    set: (given) => `state = (${given}::float8[])[:${width}], booked = ${rows(`${given}::float8[]`, width)}`,
    made: (given) => `0, 0, (${given}::float8[])[:${width}], ${rows(`${given}::float8[]`, width)}`,
    numbers: elements(0, width),
    kept: `after.numbers[:${width}] || before.numbers, 0, 0, ${rows("after.numbers", width)}`,
    found: [...elements(width, width), `state[${2 * width + 1}:]`],
  };
}

/** The puts that are left in a row, as a step of a rule. */
const PUTS = "ARRAY[0, c.weight, -1, c.units / c.weight]";

/** The rows of bookings behind so many numbers in an array; NULL for none. */
function rows(numbers: string, width: number): string {
  return `nullif((${numbers})[${width + 1}:], '{}')`;
}

/** Elements of the array `state`, so many after the first `skipped`. */
function elements(skipped: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `state[${skipped + i + 1}]`);
}

function zeros(count: number): string {
  return `'{${new Array(count).fill(0)}}'::float8[]`;
}
