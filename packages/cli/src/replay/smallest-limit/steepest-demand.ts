/**
 * Smallest limits of the token bucket and the leaky bucket.
 *
 * A bucket of burst B that refills at L / I never refuses if and only if, between any two
 * requests, at s and at t, no more than B + L (t - s) / I requests came, both ends included.
 * Each pair thus asks for some L, and the smallest limit is the most that any pair asks for.
 * With N requests from s to t that is
 *
 * - N I / (t - s + I) where the burst is the limit itself,
 * - (N - B) I / (t - s) where it is given.
 *
 * Either is the slope from a point that belongs to s to one that belongs to t, so that the
 * pair for a new t is found on a convex hull, and what no longer can ask for more is dropped.
 *
 * @module
 */
import { toMicroseconds } from "@sluice/core";
import type { Limit } from "../limit.js";
import { ThingPerKey } from "../per-key.js";
import { ceilOfProduct, compareProducts } from "./exact.js";
import type { KeyLimits } from "./key-limits.js";
import { LowerHull, type Point } from "./lower-hull.js";

/** Finds the limit of each key by its steepest demand. */
export class SteepestDemand implements KeyLimits {
  readonly #keys: ThingPerKey<Demand>;

  constructor({ rate, burst }: Limit) {
    const interval = toMicroseconds(rate.interval);
    this.#keys = new ThingPerKey(() => new Demand(interval, burst));
  }

  add(key: number, time: number): void {
    this.#keys.get(key).add(time);
  }

  limits(count: number): Float64Array {
    return Float64Array.from({ length: count }, (_, key) => this.#keys.get(key).limit);
  }
}

/** The demand of one key. */
class Demand {
  /** The smallest limit so far. */
  limit = 1;
  readonly #interval: number;
  readonly #burst: number | undefined;
  readonly #starts = new LowerHull();
  #count = 0;
  #time = Number.NaN;
  /** Requests before those at `#time`. */
  #before = 0;

  constructor(interval: number, burst: number | undefined) {
    this.#interval = interval;
    this.#burst = burst;
  }

  add(time: number): void {
    // No limit helps where more than a burst comes at once.
    if (this.limit === Number.POSITIVE_INFINITY) return;
    if (time !== this.#time) this.#moveTo(time);
    this.#count++;
    const atOnce = this.#count - this.#before;
    if (this.#burst === undefined) this.limit = Math.max(this.limit, atOnce);
    else if (atOnce > this.#burst) this.limit = Number.POSITIVE_INFINITY;
    if (this.limit < Number.POSITIVE_INFINITY) this.#ask({ x: time, y: this.#count });
  }

  /** The instant before becomes one that later requests are counted from. */
  #moveTo(time: number): void {
    if (this.#count > 0) this.#starts.add(this.#startAt(this.#time, this.#before));
    this.#starts.dropFlatterThan(this.limit, this.#interval);
    this.#time = time;
    this.#before = this.#count;
  }

  #startAt(time: number, before: number): Point {
    return this.#burst === undefined ? { x: time - this.#interval, y: before } : { x: time, y: before + this.#burst };
  }

  /** Raises the limit to what the requests up to `end` ask for. */
  #ask(end: Point): void {
    const start = this.#starts.steepestTo(end);
    if (start === undefined) return;
    const rise = end.y - start.y;
    const run = end.x - start.x;
    if (compareProducts(rise, this.#interval, this.limit, run) > 0)
      this.limit = ceilOfProduct(rise, this.#interval, run);
  }
}
