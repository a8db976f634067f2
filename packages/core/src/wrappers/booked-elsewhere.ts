import type { Booked } from "../algorithms/operate.js";
import { Heap, type HeapNode } from "../heap.js";

/** Units of one key that were booked for one instant, under one number. */
class Units implements HeapNode {
  heapIndex = -1;

  constructor(
    readonly key: string,
    readonly name: string,
    public weight: number,
    public due: number,
  ) {}
}

/** What tells the bookings of a key apart. */
type Place = Pick<Booked, "at" | "number">;

/**
 * The bookings that a primary bucket knows nothing of, each for as long as there can be
 * something of it to take back.
 *
 * A booking is known by its key, its instant and its number: of two that have the same, one in
 * the primary and one elsewhere, the one elsewhere is taken to be meant first.
 */
export class BookedElsewhere {
  readonly #units = new Map<string, Map<string, Units>>();
  readonly #due = new Heap<Units>((a, b) => a.due < b.due);

  /**
   * Remembers a booking.
   *
   * @param booked The instant that the units were booked for, and the number of the booking.
   * @param now The time, in any unit and on any clock that never steps back.
   * @param due When time has given back all of it, on the same clock.
   */
  add(key: string, booked: Place, weight: number, now: number, due: number): void {
    for (let first = this.#due.peek(); first !== undefined && first.due < now; first = this.#due.peek()) {
      this.#forget(first);
    }
    const name = nameOf(booked);
    const known = this.#units.get(key)?.get(name);
    if (known !== undefined) this.#forget(known);
    const units = new Units(key, name, weight + (known?.weight ?? 0), Math.max(due, known?.due ?? due));
    const ofKey = this.#units.get(key) ?? new Map<string, Units>();
    this.#units.set(key, ofKey.set(name, units));
    this.#due.push(units);
  }

  /** Whether units were booked elsewhere; they are as good as cancelled then. */
  take(key: string, booked: Place, weight: number): boolean {
    const units = this.#units.get(key)?.get(nameOf(booked));
    if (units === undefined) return false;
    units.weight -= weight;
    if (units.weight <= 0) this.#forget(units);
    return true;
  }

  #forget(units: Units): void {
    this.#due.remove(units);
    const ofKey = this.#units.get(units.key);
    ofKey?.delete(units.name);
    if (ofKey?.size === 0) this.#units.delete(units.key);
  }
}

function nameOf({ at, number }: Place): string {
  return `${at} ${number}`;
}
