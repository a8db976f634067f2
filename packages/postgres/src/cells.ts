/**
 * Algorithms of fixed size: a row a key.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import {
  type Cell,
  type CellAnswer,
  type CellSteps,
  isFresh,
  type Kernel,
  type Snapshot,
  type State,
  type Step,
} from "@sluice/core";
import type { CellKeys } from "./cell-keys.js";
import { CellStatements } from "./cell-statements.js";
import type { Database, Row } from "./database.js";
import type { Names } from "./names.js";
import { BATCH, type Leaked, readLeaked, type Store } from "./store.js";

/** Numbers by which the functions know the operations that change anything. */
const OPERATIONS = { put: 0, charge: 1, refund: 2, reserve: 3, cancel: 4 } as const;

/** A cell, where it stood in the trip, and the key of its row in hexadecimal digits. */
interface Placed {
  readonly cell: CellSteps;
  readonly place: number;
  readonly hex: string;
}

/** Keeps cells, each with the puts of the last trip. */
export class Cells implements Store {
  readonly #database: Database;
  readonly #keys: CellKeys;
  readonly #kernel: Kernel;
  readonly #capacity: number;
  readonly #statements: CellStatements;
  /** Whether so many puts at once come to the same as one after another: nothing is rounded. */
  readonly #exact: boolean;

  constructor(database: Database, keys: CellKeys, kernel: Kernel, capacity: number, names: Names) {
    this.#database = database;
    this.#keys = keys;
    this.#kernel = kernel;
    this.#capacity = capacity;
    this.#statements = new CellStatements(database, kernel, names);
    this.#exact = kernel.rates.every((_, rate) => kernel.parameters(rate).every(Number.isSafeInteger));
  }

  send(cells: readonly CellSteps[]): Promise<readonly CellAnswer[]> {
    const { at } = (cells[0] as CellSteps).steps[0] as Step;
    for (const { steps } of cells) if (!this.#isPut(steps, at)) return this.#carryOut(cells);
    return cells.length === 1 ? this.#putOne(cells[0] as CellSteps) : this.#putMany(cells, at);
  }

  async read(key: string): Promise<Snapshot> {
    const values = [...this.#statements.parameters, `{${bytea(this.#keys.hexOf(key))}}`];
    const [answer] = this.#answers(await this.#database.run(this.#statements.read, values));
    const { now, before } = answer as CellFound;
    return { now, state: before };
  }

  async exchange(key: string, from: State, to: State): Promise<boolean> {
    const { parameters, exchange, make, drop } = this.#statements;
    const [wasNew, isNew] = [from, to].map((state) => isFresh(this.#kernel, state));
    if (wasNew && isNew) return true;
    const values = [...parameters, this.#keys.of(key)];
    if (!wasNew) values.push(`{${this.#numbers(from)}}`);
    if (!isNew) values.push(`{${[...this.#numbers(to), ...((to as Cell).booked ?? [])]}}`);
    const rows = await this.#database.run(wasNew ? make : isNew ? drop : exchange, values);
    return rows.length === 1;
  }

  async leak(first: Buffer, end: Buffer, now: number | undefined): Promise<Leaked> {
    const { parameters, leak } = this.#statements;
    return readLeaked(await this.#database.run(leak, [...parameters, first, end, now ?? null, BATCH]));
  }

  async flush(first: Buffer, end: Buffer): Promise<boolean> {
    const [row] = await this.#database.run(this.#statements.flush, [first, end, BATCH]);
    return Number(row?.[0]) === BATCH;
  }

  #numbers(state: State): number[] {
    const { numbers, offset } = state as Cell;
    return [...numbers.subarray(offset, offset + this.#kernel.width)];
  }

  /** Whether all that is done to a key are puts of one weight at this instant that may fit. */
  #isPut(steps: readonly Step[], at: number | undefined): boolean {
    const step = steps[0] as Step;
    if (steps.length > 1 || step.operation !== "put" || step.at !== at) return false;
    return step.weight > 0 && step.weight <= this.#capacity && (step.count === 1 || this.#exact);
  }

  /** Units of a put, no more than could be admitted, so that they are a number without rounding. */
  #units({ count, weight }: Step): number {
    return count === 1 ? weight : weight * Math.min(count, Math.floor(this.#capacity / weight));
  }

  async #putOne({ key, steps }: CellSteps): Promise<readonly CellAnswer[]> {
    const { parameters, putOne, putOneAt } = this.#statements;
    const step = steps[0] as Step;
    const values = [...parameters, this.#keys.of(key), this.#units(step), step.weight];
    if (step.at !== undefined) values.push(step.at);
    return this.#answers(await this.#database.run(step.at === undefined ? putOne : putOneAt, values));
  }

  async #putMany(cells: readonly CellSteps[], at: number | undefined): Promise<readonly CellAnswer[]> {
    const { parameters, putMany, putManyAt } = this.#statements;
    const order = this.#inOrder(cells);
    const units = order.map(({ cell }) => this.#units(cell.steps[0] as Step));
    const weights = order.map(({ cell }) => (cell.steps[0] as Step).weight);
    const values = [...parameters, keysOf(order), `{${units}}`, `{${weights}}`];
    if (at !== undefined) values.push(String(at));
    return this.#place(order, await this.#database.run(at === undefined ? putMany : putManyAt, values));
  }

  async #carryOut(cells: readonly CellSteps[]): Promise<readonly CellAnswer[]> {
    const { parameters, carryOut, read, carryOutAndRead } = this.#statements;
    const written: Placed[] = [];
    const texts: string[] = [];
    const seen: Placed[] = [];
    for (const placed of this.#inOrder(cells)) {
      const text = this.#text(placed.cell.steps);
      if (text === "") {
        seen.push(placed);
      } else {
        written.push(placed);
        texts.push(`"{${text}}"`);
      }
    }
    if (written.length === 0) return this.#place(seen, await this.#database.run(read, [...parameters, keysOf(seen)]));
    const values = [...parameters, keysOf(written), `{${texts}}`];
    if (seen.length === 0) return this.#place(written, await this.#database.run(carryOut, values));
    return this.#place([...written, ...seen], await this.#database.run(carryOutAndRead, [...values, keysOf(seen)]));
  }

  /** Steps as the functions read them, without those that change nothing whatever the state. */
  #text(steps: readonly Step[]): string {
    const parts: string[] = [];
    for (const { operation, weight, at = -1, time, count } of steps) {
      if (operation === "peek" || weight === 0 || (operation === "put" && weight > this.#capacity)) continue;
      const together = operation === "put" && this.#exact;
      const last = operation === "reserve" || operation === "cancel" ? time : together ? count : 1;
      const part = `${OPERATIONS[operation]},${weight},${at},${last}`;
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
    const found = this.#answers(rows);
    const answers = new Array<CellAnswer>(order.length);
    for (let i = 0; i < order.length; i++) answers[(order[i] as Placed).place] = found[i] as CellFound;
    return answers;
  }

  /** Reads rows of the time and the numbers of a state, and perhaps what is known of bookings. */
  #answers(rows: readonly Row[]): CellFound[] {
    const { width } = this.#kernel;
    const numbers = new Float64Array(rows.length * width);
    return rows.map((row, i) => {
      const offset = i * width;
      for (let n = 0; n < width; n++) numbers[offset + n] = Number(row[n + 1]);
      return { now: Number(row[0]), before: { numbers, offset, booked: readBooked(row[width + 1]) } };
    });
  }
}

/** What was found of a cell: a {@link CellAnswer}. */
interface CellFound {
  readonly now: number;
  readonly before: Cell;
}

/** Reads an array as Postgres writes it. */
function readBooked(text: string | null | undefined): number[] | undefined {
  if (text === undefined || text === null || text === "{}") return undefined;
  return text.slice(1, -1).split(",").map(Number);
}

/** The keys of rows as an array. */
function keysOf(order: readonly Placed[]): string {
  let text = "{";
  for (let i = 0; i < order.length; i++)
    text += i === 0 ? bytea((order[i] as Placed).hex) : `,${bytea((order[i] as Placed).hex)}`;
  return `${text}}`;
}

function bytea(hex: string): string {
  return `"\\\\x${hex}"`;
}
