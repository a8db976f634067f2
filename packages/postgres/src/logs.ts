/**
 * The log: a row a key for the newest entries, and pages for the older ones.
 *
 * @module
 */
import type { CellAnswer, CellSteps, Decision, Kernel, Log, Snapshot, State, Step, StepOperation } from "@sluice/core";
import type { CellKeys } from "./cell-keys.js";
import type { Database, Row, Statement } from "./database.js";
import { fill } from "./fill.js";
import { decisionsOf } from "./log-decisions.js";
import type { Names } from "./names.js";
import { callLog, exchangeLog, flushLogs, leakLogs, readLog } from "./sql/embedded.js";
import { BATCH, type Leaked, readLeaked, type Store } from "./store.js";

/** Entries that a row holds at most, and a page exactly. */
export const PAGE = 64;

/** Numbers by which the function knows the operations. */
const OPERATIONS = { put: 0, charge: 1, refund: 2, peek: 3, reserve: 4, cancel: 5 } as const;
/** Those that can make a log where there is none. */
const MAKING: readonly StepOperation[] = ["put", "charge", "reserve"];

/** Keeps logs, and lets the server decide: they are too large to send. */
export class Logs implements Store {
  readonly #database: Database;
  readonly #keys: CellKeys;
  readonly #kernel: Kernel;
  readonly #capacity: number;
  readonly #call: Statement;
  readonly #read: Statement;
  readonly #exchange: Statement;
  readonly #leak: Statement;
  readonly #flush: Statement;

  constructor(database: Database, keys: CellKeys, kernel: Kernel, capacity: number, names: Names) {
    this.#database = database;
    this.#keys = keys;
    this.#kernel = kernel;
    this.#capacity = capacity;
    const parameters = kernel.rates.map((_, rate) => kernel.parameters(rate));
    const [limits = [], intervals = []] = [0, 1].map((which) => parameters.map((of) => of[which] as number));
    const sql = (template: string) =>
      fill(template, {
        ...names,
        limits: `'{${limits}}'::float8[]`,
        intervals: `'{${intervals}}'::float8[]`,
        longest: String(intervals[intervals.length - 1]),
      });
    this.#call = database.statement(sql(callLog));
    // Planned anew each time: with how much there is, the way to it changes.
    this.#read = { text: sql(readLog) };
    this.#exchange = { text: sql(exchangeLog) };
    this.#leak = { text: sql(leakLogs) };
    this.#flush = { text: sql(flushLogs) };
  }

  async send(cells: readonly CellSteps[]): Promise<readonly CellAnswer[]> {
    const order = cells.map((cell, place) => ({ place, hex: this.#keys.hexOf(cell.key), steps: this.#split(cell) }));
    // All trips lock in this order, so that none waits for another in a circle.
    order.sort((a, b) => (a.hex < b.hex ? -1 : 1));
    const rows = await this.#database.run(this.#call, [
      `{${order.map(({ hex }) => `"\\\\x${hex}"`).join(",")}}`,
      `{${order.map(({ steps }) => steps.some(({ operation }) => MAKING.includes(operation)))}}`,
      `{${order.map(({ steps }) => `"{${steps.map(numbersOf).join(",")}}"`).join(",")}}`,
    ]);
    const answers = new Array<CellAnswer>(cells.length);
    let next = 0;
    for (const { place, steps } of order) {
      const decisions: Decision[] = [];
      let now = 0;
      for (const step of steps) {
        const numbers = readNumbers(rows[next++]);
        if (step.at === undefined) now = numbers[0] as number;
        decisions.push(...decisionsOf(numbers, step, this.#kernel.rates));
      }
      answers[place] = { now, decisions };
    }
    return answers;
  }

  async read(key: string): Promise<Snapshot> {
    const rows = await this.#database.run(this.#read, [this.#keys.of(key)]);
    const log = this.#kernel.fresh() as Log;
    // What is forgotten is told by the row of the log, which holds the newest entries and comes last.
    let total = Number(rows[rows.length - 1]?.[1] ?? 0);
    for (const [, , times, totals] of rows) {
      const upTo = numbersIn(totals ?? null);
      for (const [i, time] of numbersIn(times ?? null).entries()) {
        const units = upTo[i] as number;
        if (units <= total) continue;
        log.append(time, units - total);
        total = units;
      }
    }
    return { now: Number(rows[0]?.[0]), state: log };
  }

  async exchange(key: string, from: State, to: State): Promise<boolean> {
    const seen = columnsOf(from as Log).map((values) => `{${values.slice(-PAGE)}}`);
    const written = columnsOf(to as Log).map((values) => `{${values}}`);
    const [row] = await this.#database.run(this.#exchange, [this.#keys.of(key), ...seen, ...written]);
    return row?.[0] === "t";
  }

  async leak(first: Buffer, end: Buffer, now: number | undefined): Promise<Leaked> {
    return readLeaked(await this.#database.run(this.#leak, [first, end, now ?? null, BATCH]));
  }

  async flush(first: Buffer, end: Buffer): Promise<boolean> {
    const [row] = await this.#database.run(this.#flush, [first, end, BATCH]);
    return Number(row?.[0]) === BATCH;
  }

  /** Steps as the function knows them: those that change nothing whatever the log are peeks, and only those and puts come several times. */
  #split({ steps }: CellSteps): Step[] {
    return steps.flatMap((step) => {
      const { operation, weight, count } = step;
      if (weight === 0 || (operation === "put" && weight > this.#capacity)) return { ...step, operation: "peek" };
      if (operation === "put" || operation === "peek") return step;
      return Array.from({ length: count }, () => ({ ...step, count: 1 }));
    });
  }
}

function numbersOf({ operation, weight, at = -1, time, count }: Step): string {
  const last = operation === "reserve" || operation === "cancel" ? time : count;
  return `${OPERATIONS[operation]},${weight},${at},${last}`;
}

/** The times of all entries, and the units up to each. */
function columnsOf(log: Log): [times: number[], totals: number[]] {
  const places = Array.from({ length: log.size }, (_, i) => i);
  return [places.map((i) => log.time(i)), places.map((i) => log.total(i))];
}

function readNumbers(row: Row | undefined): number[] {
  return numbersIn(row?.[0] ?? null);
}

function numbersIn(array: string | null): number[] {
  return array === null || array === "{}" ? [] : array.slice(1, -1).split(",").map(Number);
}
