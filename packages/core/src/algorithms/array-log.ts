import type { Log } from "./kernel.js";

/** A log in plain arrays: what a kernel makes for a bucket that brings no store of its own. */
export class ArrayLog implements Log {
  #times: number[] = [];
  /** Units up to each entry, those of the entries that are gone included. */
  #totals: number[] = [];
  #start = 0;
  #gone = 0;

  get size(): number {
    return this.#times.length - this.#start;
  }

  time(index: number): number {
    return this.#times[this.#start + index] as number;
  }

  total(index: number): number {
    return index < 0 ? 0 : (this.#totals[this.#start + index] as number) - this.#gone;
  }

  append(time: number, weight: number): void {
    const newest = this.#totals[this.#totals.length - 1] ?? 0;
    // Beyond, totals could not be told apart: they are counted anew from the oldest entry.
    if (newest + weight > Number.MAX_SAFE_INTEGER) this.#moveDown();
    this.#totals.push(this.#gone + this.total(this.size - 1) + weight);
    this.#times.push(time);
  }

  dropOldest(count: number): void {
    if (count === 0) return;
    this.#gone += this.total(count - 1);
    this.#start += count;
    // Moving the rest down costs as much as was dropped since the last move.
    if (this.#start * 2 < this.#times.length) return;
    this.#moveDown();
  }

  #moveDown(): void {
    this.#times = this.#times.slice(this.#start);
    this.#totals = this.#totals.slice(this.#start).map((total) => total - this.#gone);
    this.#start = 0;
    this.#gone = 0;
  }

  subtract(index: number, units: number): void {
    const at = this.#start + index;
    const left = this.total(index) - this.total(index - 1) - units;
    for (let i = at; i < this.#totals.length; i++) this.#totals[i] = (this.#totals[i] as number) - units;
    if (left > 0) return;
    this.#times.splice(at, 1);
    this.#totals.splice(at, 1);
  }

  dropNewest(units: number): void {
    const target = this.total(this.size - 1) - units;
    while (this.size > 0 && this.total(this.size - 2) >= target) {
      this.#times.pop();
      this.#totals.pop();
    }
    if (this.size > 0) this.#totals[this.#totals.length - 1] = this.#gone + target;
  }
}
