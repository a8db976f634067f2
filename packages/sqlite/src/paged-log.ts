import { type Log, StoreError } from "@sluice/core";
import type { Row } from "./row.js";

/** Entries of a page. A row of that many, with a key of usual length, still lies in one page of the file. */
export const PAGE = 48;
/** Bytes of an entry: its time, and the units up to it. */
const ENTRY = 16;
/** Numbers before the entries of a row, where there are pages. */
const HEAD = 3;

/** Where the pages of one log are kept, by their number from 1 on. */
export interface Pages {
  /** The bytes of a page. */
  read(page: number): Uint8Array | undefined;
  /** Keeps a page. */
  write(page: number, bytes: Uint8Array): void;
  /** Forgets the pages from the first to the last. */
  drop(first: number, last: number): void;
}

/**
 * A log of which the newest entries lie in the row of the cell, and the older ones in full
 * pages beside it: a put writes one short row, however long the log.
 *
 * Up to {@link PAGE} entries are in the row alone. With more, entries are numbered for
 * good: those from `first` to `end` are in pages, and the rest in the row, which then
 * begins with `first`, `end` and the units that were forgotten before `first`.
 */
export class PagedLog implements Log, Row {
  readonly #pages: Pages;
  /** The pages that were looked at. */
  readonly #seen = new Map<number, Float64Array>();
  readonly #numbers = new Float64Array(HEAD + 2 * PAGE);
  readonly #bytes = new Uint8Array(this.#numbers.buffer);
  /** Entries in the row. */
  #inRow = 0;
  #first = 0;
  #end = 0;
  /** What the totals of all entries are too large by. */
  #gone = 0;

  constructor(pages: Pages) {
    this.#pages = pages;
  }

  get state(): Log {
    return this;
  }

  load(bytes: Uint8Array | undefined): void {
    this.#seen.clear();
    const length = bytes?.length ?? 0;
    const paged = length % ENTRY !== 0;
    if (bytes !== undefined) this.#bytes.set(bytes, paged ? 0 : HEAD * 8);
    const [first = 0, end = 0, gone = 0] = paged ? this.#numbers : [];
    this.#first = first;
    this.#end = end;
    this.#gone = gone;
    this.#inRow = Math.floor(length / ENTRY) - (paged ? 1 : 0);
  }

  bytes(): Uint8Array {
    this.#numbers[0] = this.#first;
    this.#numbers[1] = this.#end;
    this.#numbers[2] = this.#gone;
    return this.#bytes.subarray(this.#inPages > 0 ? 0 : HEAD * 8, HEAD * 8 + this.#inRow * ENTRY);
  }

  standsAlone({ length }: Uint8Array): boolean {
    return length % ENTRY === 0 && length < PAGE * ENTRY;
  }

  get size(): number {
    return this.#inPages + this.#inRow;
  }

  time(index: number): number {
    return this.#number(index, 0);
  }

  total(index: number): number {
    return index < 0 ? 0 : this.#number(index, 1) - this.#gone;
  }

  append(time: number, weight: number): void {
    const total = this.total(this.size - 1) + weight;
    // Or they would no longer be exact.
    if (this.#gone > 0 && this.#gone + total > Number.MAX_SAFE_INTEGER) this.#countAnew();
    if (this.#inRow === PAGE) this.#spill();
    const at = HEAD + 2 * this.#inRow++;
    this.#numbers[at] = time;
    this.#numbers[at + 1] = this.#gone + total;
  }

  dropOldest(count: number): void {
    if (count === 0) return;
    this.#gone += this.total(count - 1);
    const ofPages = Math.min(count, this.#inPages);
    const ofRow = count - ofPages;
    this.#numbers.copyWithin(HEAD, HEAD + 2 * ofRow, HEAD + 2 * this.#inRow);
    this.#inRow -= ofRow;
    if (ofPages > 0) this.#dropFromPages(ofPages);
    if (this.#inPages === 0) this.#countAnew();
  }

  dropNewest(units: number): void {
    const target = this.total(this.size - 1) - units;
    while (this.size > 0 && this.total(this.size - 2) >= target) {
      this.#inRow--;
      if (this.#inRow === 0 && this.#inPages > 0) this.#fetchLastPage();
    }
    if (this.size > 0) this.#numbers[HEAD + 2 * this.#inRow - 1] = this.#gone + target;
  }

  subtract(index: number, units: number): void {
    const entries = Array.from({ length: this.size - index }, (_, i) => ({
      time: this.time(index + i),
      weight: this.total(index + i) - this.total(index + i - 1) - (i === 0 ? units : 0),
    }));
    this.dropNewest(this.total(this.size - 1) - this.total(index - 1));
    for (const { time, weight } of entries) if (weight > 0) this.append(time, weight);
  }

  /** Entries that lie in pages. */
  get #inPages(): number {
    return this.#end - this.#first;
  }

  #number(index: number, part: number): number {
    const inPages = this.#end - this.#first;
    if (index >= inPages) return this.#numbers[HEAD + 2 * (index - inPages) + part] as number;
    const entry = this.#first + index;
    return this.#page(pageOf(entry))[2 * (entry % PAGE) + part] as number;
  }

  #page(number: number): Float64Array {
    let page = this.#seen.get(number);
    if (page === undefined) {
      const bytes = this.#pages.read(number);
      if (bytes?.length !== PAGE * ENTRY) throw new StoreError(`Cannot read page ${number} of a log: it is missing.`);
      page = new Float64Array(2 * PAGE);
      new Uint8Array(page.buffer).set(bytes);
      this.#seen.set(number, page);
    }
    return page;
  }

  /** Makes a page of the entries in the row. */
  #spill(): void {
    const page = this.#numbers.slice(HEAD);
    const number = pageOf(this.#end);
    this.#pages.write(number, new Uint8Array(page.buffer));
    this.#seen.set(number, page);
    this.#end += PAGE;
    this.#inRow = 0;
  }

  /** Brings the entries of the last page back into the row, which is empty. */
  #fetchLastPage(): void {
    const number = pageOf(this.#end - 1);
    this.#inRow = Math.min(PAGE, this.#inPages);
    this.#numbers.set(this.#page(number).subarray(2 * (PAGE - this.#inRow)), HEAD);
    this.#pages.drop(number, number);
    this.#end -= PAGE;
    if (this.#end > this.#first) return;
    this.#first = 0;
    this.#end = 0;
    this.#countAnew();
  }

  #dropFromPages(count: number): void {
    const before = pageOf(this.#first);
    this.#first += count;
    // Of a page that lies in part before `first` the rest still counts.
    const keep = pageOf(this.#first);
    if (keep > before) this.#pages.drop(before, keep - 1);
    if (this.#first < this.#end) return;
    this.#first = 0;
    this.#end = 0;
  }

  /** Takes the units that are gone off all totals. */
  #countAnew(): void {
    for (let entry = 0; entry < this.#inRow; entry++) {
      (this.#numbers[HEAD + 2 * entry + 1] as number) -= this.#gone;
    }
    for (let number = pageOf(this.#first); number < pageOf(this.#end); number++) {
      const page = this.#page(number);
      for (let entry = 0; entry < PAGE; entry++) (page[2 * entry + 1] as number) -= this.#gone;
      this.#pages.write(number, new Uint8Array(page.buffer));
    }
    this.#gone = 0;
  }
}

/** The number of the page that holds an entry. Page 0 would be the row itself. */
function pageOf(entry: number): number {
  return 1 + Math.floor(entry / PAGE);
}
