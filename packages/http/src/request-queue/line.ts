import type { QueueOrder } from "./options.js";
import type { Waiter } from "./waiter.js";

/** Those of one priority, in the order in which they came. */
class Band {
  oldest: Waiter | undefined = undefined;
  newest: Waiter | undefined = undefined;

  constructor(readonly priority: number) {}

  append(waiter: Waiter): void {
    waiter.previous = this.newest;
    if (this.newest === undefined) this.oldest = waiter;
    else this.newest.next = waiter;
    this.newest = waiter;
  }

  remove(waiter: Waiter): void {
    const { previous, next } = waiter;
    if (previous === undefined) this.oldest = next;
    else previous.next = next;
    if (next === undefined) this.newest = previous;
    else next.previous = previous;
    waiter.previous = undefined;
    waiter.next = undefined;
  }
}

/**
 * Those who wait, by priority and then by when they came.
 *
 * Joining and leaving, from any place, is O(1) in how many wait. It is linear in how many
 * different priorities wait, which is a handful.
 */
export class Line {
  readonly #order: QueueOrder;
  /** The highest priority first; none of them is empty. */
  readonly #bands: Band[] = [];
  #size = 0;

  constructor(order: QueueOrder) {
    this.#order = order;
  }

  get size(): number {
    return this.#size;
  }

  /** Who is served next. */
  get first(): Waiter | undefined {
    const band = this.#bands[0];
    return this.#order === "fifo" ? band?.oldest : band?.newest;
  }

  /** Who is served last. */
  get last(): Waiter | undefined {
    const band = this.#bands[this.#bands.length - 1];
    return this.#order === "fifo" ? band?.newest : band?.oldest;
  }

  /** Who gives up first. All wait equally long, so within a band it is the oldest. */
  get hastiest(): Waiter | undefined {
    let hastiest: Waiter | undefined;
    for (const { oldest } of this.#bands) {
      if (oldest !== undefined && !(hastiest !== undefined && hastiest.deadline <= oldest.deadline)) hastiest = oldest;
    }
    return hastiest;
  }

  /** Whether one of this priority, if it joined now, would be served after all others. */
  wouldBeLast(priority: number): boolean {
    const last = this.last;
    if (last === undefined || priority < last.priority) return true;
    return priority === last.priority && this.#order === "fifo";
  }

  join(waiter: Waiter): void {
    const at = this.#bands.findIndex((band) => band.priority <= waiter.priority);
    let band = this.#bands[at];
    if (band?.priority !== waiter.priority) {
      band = new Band(waiter.priority);
      this.#bands.splice(at < 0 ? this.#bands.length : at, 0, band);
    }
    band.append(waiter);
    this.#size++;
  }

  leave(waiter: Waiter): void {
    const at = this.#bands.findIndex((band) => band.priority === waiter.priority);
    const band = this.#bands[at];
    band?.remove(waiter);
    if (band?.oldest === undefined) this.#bands.splice(at, 1);
    this.#size--;
  }
}
