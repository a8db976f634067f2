/**
 * Puts the requests of one log in order.
 *
 * A log line is written when its request is done, so a slow request stands behind quicker
 * ones that came after it. A request is therefore held until the log has moved on by a
 * window; by then every request before it should have been written.
 *
 * @module
 */
import { Requests } from "./requests.js";
import { sortByTime } from "./sort-by-time.js";

/** Requests to gather before they are first sorted; fewer would be sorted too often. */
const BATCH = 16_384;

/** Takes the requests of one log as they stand there, and gives them back in order. */
export class ReorderBuffer {
  /** Requests with an earlier time than one before them. */
  outOfOrder = 0;
  /**
   * Those among them that came more than a window behind. They may have missed their turn,
   * and then count as made at the time reached.
   */
  late = 0;
  readonly #window: number;
  #held = new Requests(BATCH);
  /** How many requests are held before they are next sorted. */
  #full = BATCH;
  #newest = Number.NEGATIVE_INFINITY;
  #reached = Number.NEGATIVE_INFINITY;
  #released: Requests[] = [];

  /** @param window Microseconds that a request is waited for. */
  constructor(window: number) {
    this.#window = window;
  }

  /** Adds the request that comes next in the log. */
  add(time: number, key: number): void {
    if (time < this.#newest) this.outOfOrder++;
    else this.#newest = time;
    if (time < this.#newest - this.#window) this.late++;
    this.#held.add(time, key);
    if (this.#held.size >= this.#full) this.#release(this.#newest - this.#window);
  }

  /** Gives back the requests whose turn has come. */
  take(): Requests[] {
    const released = this.#released;
    this.#released = [];
    return released;
  }

  /** Gives back all that are left: the log has ended. */
  end(): Requests[] {
    this.#release(Number.POSITIVE_INFINITY);
    return this.take();
  }

  /** Sorts what is held and releases what is earlier than `time`. */
  #release(time: number): void {
    const sorted = sortByTime(this.#held);
    const count = sorted.firstFrom(time);
    const released = new Requests(count);
    released.addAll(sorted, 0, count);
    this.#held = new Requests(Math.max(BATCH, 2 * (sorted.size - count)));
    this.#held.addAll(sorted, count, sorted.size);
    // Each sorting has as many new requests as old ones, so that no request is sorted many times.
    this.#full = Math.max(BATCH, 2 * this.#held.size);
    if (count === 0) return;
    released.times.fill(this.#reached, 0, released.firstFrom(this.#reached));
    this.#reached = released.times[count - 1] as number;
    this.#released.push(released);
  }
}
