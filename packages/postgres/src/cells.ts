/**
 * Algorithms of fixed size: a row a key.
 *
 * @module
 */
import type { Cell, CellAnswer, CellSteps, Kernel, Snapshot, Step } from "@sluice/core";
import type { CellKeys } from "./cell-keys.js";
import type { Database, Row, Statement } from "./database.js";
import { fill } from "./fill.js";
import { readLeaked } from "./leaked.js";
import type { Names } from "./names.js";
import {
  flushCells,
  leakCells,
  mixedTrip,
  readCells,
  sourceMany,
  sourceOne,
  sourceSteps,
  trip,
} from "./sql/embedded.js";
import { BATCH, type Leaked, type Store } from "./store.js";

/** The functions that work out each rule. */
const FUNCTIONS: Readonly<Record<string, (names: Names) => { rule: string; idle: string }>> = {
  "token-bucket": ({ bucket, bucket_idle }) => ({ rule: bucket, idle: bucket_idle }),
  "fixed-window": ({ window, window_idle }) => ({ rule: window, idle: window_idle }),
  "sliding-window-counter": ({ counter, counter_idle }) => ({ rule: counter, idle: counter_idle }),
};

/** Whether there is a dialect of a rule that keeps its state in cells. */
export function hasCells(rule: string): boolean {
  return Object.hasOwn(FUNCTIONS, rule);
}

/** Numbers by which the functions know the operations that change anything. */
const OPERATIONS = { put: 0, charge: 1, refund: 2 } as const;

/** Keeps cells, each with what the last trip did to it. */
export class Cells implements Store {
  readonly #database: Database;
  readonly #keys: CellKeys;
  readonly #kernel: Kernel;
  readonly #capacity: number;
  /** What the functions have to be told of the rates. */
  readonly #parameters: string;
  /** Whether so many puts at once come to the same as one after another: nothing is rounded. */
  readonly #exact: boolean;
  readonly #one: Statement;
  readonly #oneAt: Statement;
  readonly #many: Statement;
  readonly #manyAt: Statement;
  readonly #steps: Statement;
  readonly #read: Statement;
  readonly #mixed: Statement;
  readonly #leak: Statement;
  readonly #flush: Statement;

  constructor(database: Database, keys: CellKeys, kernel: Kernel, capacity: number, names: Names) {
    this.#database = database;
    this.#keys = keys;
    this.#kernel = kernel;
    this.#capacity = capacity;
    const parameters = kernel.rates.flatMap((_, rate) => kernel.parameters(rate));
    this.#parameters = list(parameters, String);
    this.#exact = parameters.every((parameter) => parameter <= Number.MAX_SAFE_INTEGER);
    const values = {
      ...names,
      ...FUNCTIONS[kernel.rule]?.(names),
      parameters: "$1::float8[]",
      fresh: `'${list(new Array(kernel.width).fill(0), String)}'::float8[]`,
      numbers: Array.from({ length: kernel.width }, (_, i) => `state[${i + 1}]`).join(", "),
    };
    const sql = (template: string, more: Record<string, string> = {}) => fill(template, { ...values, ...more });
    const tripOf = (source: string, instant: string) => sql(trip, { source: sql(source, { instant }) });
    const now = fill("{now}", {});
    const steps = tripOf(sourceSteps, now);
    this.#one = database.statement(tripOf(sourceOne, now));
    this.#oneAt = database.statement(tripOf(sourceOne, "$5::float8"));
    this.#many = database.statement(tripOf(sourceMany, now));
    this.#manyAt = database.statement(tripOf(sourceMany, "$5::float8"));
    this.#steps = database.statement(steps);
    this.#read = database.statement(sql(readCells, { wanted: "$2" }));
    this.#mixed = database.statement(fill(mixedTrip, { trip: steps, read: sql(readCells, { wanted: "$4" }) }));
    // Planned anew each time: with how much there is, the way to it changes.
    this.#leak = { text: sql(leakCells) };
    this.#flush = { text: sql(flushCells) };
  }

  async send(cells: readonly CellSteps[]): Promise<readonly CellAnswer[]> {
    const { weight, at } = (cells[0] as CellSteps).steps[0] as Step;
    const alike =
      weight > 0 && weight <= this.#capacity && cells.every(({ steps }) => this.#isPutOf(steps, weight, at));
    return alike ? this.#put(cells, weight, at) : this.#carryOut(cells);
  }

  async read(key: string): Promise<Snapshot> {
    const [row] = await this.#database.run(this.#read, [this.#parameters, list([this.#keys.hexOf(key)], bytea)]);
    const { now, before } = this.#answer(row as Row);
    return { now, state: before };
  }

  async leak(first: Buffer, end: Buffer, now: number | undefined): Promise<Leaked> {
    return readLeaked(await this.#database.run(this.#leak, [this.#parameters, first, end, now ?? null, BATCH]));
  }

  async flush(first: Buffer, end: Buffer): Promise<boolean> {
    const [row] = await this.#database.run(this.#flush, [first, end, BATCH]);
    return Number(row?.[0]) === BATCH;
  }

  #isPutOf(steps: readonly Step[], weight: number, at: number | undefined): boolean {
    const step = steps[0] as Step;
    if (steps.length > 1 || step.operation !== "put" || step.weight !== weight || step.at !== at) return false;
    return step.count === 1 || this.#exact;
  }

  /** Units of a put, no more than could be admitted, so that they are a number without rounding. */
  #units({ count, weight }: Step): number {
    return weight * Math.min(count, Math.floor(this.#capacity / weight));
  }

  async #put(cells: readonly CellSteps[], weight: number, at: number | undefined): Promise<readonly CellAnswer[]> {
    const instant = at === undefined ? [] : [at];
    if (cells.length === 1) {
      const { key, steps } = cells[0] as CellSteps;
      const values = [this.#parameters, this.#keys.of(key), this.#units(steps[0] as Step), weight, ...instant];
      const [row] = await this.#database.run(at === undefined ? this.#one : this.#oneAt, values);
      return [this.#answer(row as Row)];
    }
    const order = this.#inOrder(cells);
    const units = order.map(({ cell }) => this.#units(cell.steps[0] as Step));
    const values = [
      this.#parameters,
      list(
        order.map(({ hex }) => hex),
        bytea,
      ),
      list(units, String),
      weight,
      ...instant,
    ];
    const rows = await this.#database.run(at === undefined ? this.#many : this.#manyAt, values);
    return this.#place(order, rows);
  }

  async #carryOut(cells: readonly CellSteps[]): Promise<readonly CellAnswer[]> {
    const written: Placed[] = [];
    const seen: Placed[] = [];
    for (const placed of this.#inOrder(cells)) {
      (this.#text(placed.cell.steps) === "" ? seen : written).push(placed);
    }
    const keysOf = (some: readonly Placed[]) =>
      list(
        some.map(({ hex }) => hex),
        bytea,
      );
    const texts = list(
      written.map(({ cell }) => `{${this.#text(cell.steps)}}`),
      (text) => `"${text}"`,
    );
    if (written.length === 0)
      return this.#place(seen, await this.#database.run(this.#read, [this.#parameters, keysOf(seen)]));
    const values = [this.#parameters, keysOf(written), texts];
    if (seen.length === 0) return this.#place(written, await this.#database.run(this.#steps, values));
    const rows = await this.#database.run(this.#mixed, [...values, keysOf(seen)]);
    return this.#place([...written, ...seen], rows);
  }

  /** Steps as the functions read them, without those that change nothing whatever the state. */
  #text(steps: readonly Step[]): string {
    const parts: string[] = [];
    for (const { operation, weight, at = -1, count } of steps) {
      if (operation === "peek" || weight === 0 || (operation === "put" && weight > this.#capacity)) continue;
      const together = operation === "put" && this.#exact;
      const part = `${OPERATIONS[operation]},${weight},${at},${together ? count : 1}`;
      for (let i = 0; i < (together ? 1 : count); i++) parts.push(part);
    }
    return parts.join(",");
  }

  /** Cells in the order of their keys, in which all trips lock them, so that none waits for another in a circle. */
  #inOrder(cells: readonly CellSteps[]): Placed[] {
    const order = cells.map((cell, place) => ({ cell, place, hex: this.#keys.hexOf(cell.key) }));
    return order.sort((a, b) => (a.hex < b.hex ? -1 : 1));
  }

  /** Brings rows, which come in the order of the keys, into that of the cells. */
  #place(order: readonly Placed[], rows: readonly Row[]): readonly CellAnswer[] {
    const answers = new Array<CellAnswer>(order.length);
    for (const [i, { place }] of order.entries()) answers[place] = this.#answer(rows[i] as Row);
    return answers;
  }

  #answer(row: Row): { now: number; before: Cell } {
    const before = this.#kernel.fresh() as Cell;
    for (let i = 0; i < this.#kernel.width; i++) before.numbers[i] = Number(row[i + 1]);
    return { now: Number(row[0]), before };
  }
}

/** A cell, where it stood in the trip, and the key of its row in hexadecimal digits. */
interface Placed {
  readonly cell: CellSteps;
  readonly place: number;
  readonly hex: string;
}

/** An array as Postgres reads it. */
function list<T>(values: readonly T[], show: (value: T) => string): string {
  return `{${values.map(show).join(",")}}`;
}

function bytea(hex: string): string {
  return `"\\\\x${hex}"`;
}
