import { Heap, type HeapNode } from "../heap.js";

/** Units of one key that were booked for one instant. */
class Units implements HeapNode {
  heapIndex = -1;

  constructor(
    readonly key: string,
    readonly at: number,
    public weight: number,
    public due: number,
  ) {}
}

/**
 * The bookings that a primary bucket knows nothing of, each for as long as there can be
 * something of it to take back.
 *
 * A booking is known by its key and its instant: of two for the same microsecond, one in
 * the primary and one elsewhere, the one elsewhere is taken to be meant first.
 */
export class BookedElsewhere {
  readonly #units = new Map<string, Map<number, Units>>();
  readonly #due = new Heap<Units>((a, b) => a.due < b.due);

  /**
   * Remembers a booking.
   *
   * @param at The instant that the units were booked for.
   * @param now The time, in any unit and on any clock that never steps back.
   * @param due When time has given back all of it, on the same clock.
   */
  add(key: string, at: number, weight: number, now: number, due: number): void {
    for (let first = this.#due.peek(); first !== undefined && first.due < now; first = this.#due.peek()) {
      this.#forget(first);
    }
    const known = this.#units.get(key)?.get(at);
    if (known !== undefined) this.#forget(known);
    const units = new Units(key, at, weight + (known?.weight ?? 0), Math.max(due, known?.due ?? due));
    const ofKey = this.#units.get(key) ?? new Map<number, Units>();
    this.#units.set(key, ofKey.set(at, units));
    this.#due.push(units);
  }

  /** Whether units were booked elsewhere; they are as good as cancelled then. */
  take(key: string, at: number, weight: number): boolean {
    const units = this.#units.get(key)?.get(at);
    if (units === undefined) return false;
    units.weight -= weight;
    if (units.weight <= 0) this.#forget(units);
    return true;
  }

  #forget(units: Units): void {
    this.#due.remove(units);
    const ofKey = this.#units.get(units.key);
    ofKey?.delete(units.at);
    if (ofKey?.size === 0) this.#units.delete(units.key);
  }
}
