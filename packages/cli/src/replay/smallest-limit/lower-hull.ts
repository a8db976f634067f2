import { compareProducts } from "./exact.js";

/** A point of whole numbers. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * The lower convex hull of points that come from left to right.
 *
 * Of all points, the one from which the line to a point further right is the steepest lies
 * on it, and is found by a binary search (Andrew's monotone chain). Exact for whole numbers.
 */
export class LowerHull {
  readonly #points: Point[] = [];

  /** Adds a point to the right of all others. */
  add(point: Point): void {
    const points = this.#points;
    while (points.length > 1 && compareSlopes(points.at(-2) as Point, points.at(-1) as Point, point) >= 0) points.pop();
    points.push(point);
  }

  /** The point from which the line to `target`, right of all, is the steepest; `undefined` when there is none. */
  steepestTo(target: Point): Point | undefined {
    let low = 0;
    let high = this.#points.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareSlopes(this.#points[middle] as Point, this.#points[middle + 1] as Point, target) > 0) high = middle;
      else low = middle + 1;
    }
    return this.#points[low];
  }

  /**
   * Drops points that no line steeper than `rise / run` needs. A line from the first point
   * that is steeper than the hull's first edge lies below the second point's line to the same
   * target; so with an edge no steeper than `rise / run`, the second point does for both.
   */
  dropFlatterThan(rise: number, run: number): void {
    const points = this.#points;
    while (points.length > 1) {
      const [first, second] = points as [Point, Point];
      if (compareProducts(second.y - first.y, run, second.x - first.x, rise) > 0) return;
      points.shift();
    }
  }
}

/** Compares the slope from `a` to `b` with that from `b` to `c`. */
function compareSlopes(a: Point, b: Point, c: Point): number {
  return compareProducts(b.y - a.y, c.x - b.x, c.y - b.y, b.x - a.x);
}
