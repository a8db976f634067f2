import type { Log } from "@sluice/core";

/**
 * A log for counting all of a key's requests: everything at one instant is one entry.
 *
 * Access logs tell seconds apart, so that however much a key asks, it has one entry a
 * second; and a key that comes once in a window, as most do, takes the room of two numbers.
 */
export class RunLengthLog implements Log {
  /** For each entry, its time and the units up to it; the first entries may be gone already. */
  #entries: number[] = [];
  #start = 0;
  /** Units of the entries that are gone. */
  #gone = 0;

  get size(): number {
    return this.#entries.length / 2 - this.#start;
  }

  time(index: number): number {
    return this.#entries[2 * (this.#start + index)] as number;
  }

  total(index: number): number {
    return index < 0 ? 0 : (this.#entries[2 * (this.#start + index) + 1] as number) - this.#gone;
  }

  append(time: number, weight: number): void {
    const newest = this.size - 1;
    if (newest < 0) {
      // V8 gives a list that is written out just its room, and one that is pushed to much more.
      this.#entries = [time, weight];
      this.#start = 0;
      this.#gone = 0;
    } else {
      const total = this.#gone + this.total(newest) + weight;
      if (this.time(newest) === time) this.#entries[this.#entries.length - 1] = total;
      else this.#entries.push(time, total);
    }
  }

  dropOldest(count: number): void {
    if (count === 0) return;
    this.#gone += this.total(count - 1);
    this.#start += count;
    // Moving the rest down costs as much as was dropped since the last move.
    if (this.#start < this.size) return;
    this.#entries.splice(0, 2 * this.#start);
    this.#start = 0;
  }

  subtract(index: number, units: number): void {
    const left = this.total(index) - this.total(index - 1) - units;
    const at = 2 * (this.#start + index);
    for (let i = at + 1; i < this.#entries.length; i += 2) this.#entries[i] = (this.#entries[i] as number) - units;
    if (left <= 0) this.#entries.splice(at, 2);
  }

  dropNewest(units: number): void {
    const target = this.total(this.size - 1) - units;
    while (this.size > 0 && this.total(this.size - 2) >= target) this.#entries.length -= 2;
    if (this.size > 0) this.#entries[this.#entries.length - 1] = this.#gone + target;
  }
}
