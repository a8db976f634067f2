import type { RateItem } from "../item.js";
import { andThen, type Mode, type Outcome } from "../mode.js";
import { describe } from "../rate.js";
import { BucketFactory, type BucketOf, type FactoryOptions } from "./bucket-factory.js";

/** How a {@link RoutingBucketFactory} finds the bucket of an item. */
export interface RoutingOptions<M extends Mode> extends FactoryOptions {
  /** `"async"` when the route or a bucket answers by a promise; `"sync"` when left out. */
  readonly mode?: M;
  /** The name of the bucket that an item belongs to: its plan, tenant or region. */
  readonly route: (item: RateItem) => Outcome<M, string>;
  /** Buckets by name. */
  readonly buckets?: Readonly<Record<string, BucketOf<M>>>;
  /** Makes the bucket of a name that is not known yet; it is made once and kept. */
  readonly open?: (name: string) => BucketOf<M>;
}

/**
 * Sends items to buckets by plan, tenant or region.
 *
 * @example
 * ```ts
 * import { Limiter, RoutingBucketFactory } from "@sluice/core";
 * import { InMemoryBucket } from "@sluice/memory";
 *
 * const paying = new Set(["ada"]);
 * const factory = new RoutingBucketFactory({
 *   route: ({ key }) => (paying.has(key) ? "paid" : "free"),
 *   buckets: { free: new InMemoryBucket("10/min"), paid: new InMemoryBucket("1000/min") },
 * });
 * using limiter = new Limiter(factory);
 * limiter.consume("ada").remaining; // => 999
 * limiter.consume("bob").remaining; // => 9
 * ```
 */
export class RoutingBucketFactory<M extends Mode = "sync"> extends BucketFactory<M> {
  readonly #route: (item: RateItem) => Outcome<M, string>;
  readonly #open: ((name: string) => BucketOf<M>) | undefined;
  readonly #byName = new Map<string, BucketOf<M>>();

  /** @throws TypeError when a bucket answers by promises and the mode is not `"async"`. */
  constructor(options: RoutingOptions<M>) {
    super(options.mode ?? ("sync" as M), options);
    if (typeof options.route !== "function") {
      throw new TypeError(
        `Cannot route by ${describe(options.route)}: a route is a function that gives a bucket's name.`,
      );
    }
    this.#route = options.route;
    this.#open = options.open;
    for (const [name, bucket] of Object.entries(options.buckets ?? {})) this.#keep(name, bucket);
  }

  override get(item: RateItem): Outcome<M, BucketOf<M>> {
    return andThen<M, string, BucketOf<M>>(this.mode, this.#route(item), (name) => this.#find(name));
  }

  override dispose(bucket: BucketOf<M>): Outcome<M, boolean> {
    for (const [name, known] of this.#byName) {
      if (known === bucket) this.#byName.delete(name);
    }
    return super.dispose(bucket);
  }

  #find(name: string): BucketOf<M> {
    this.checkOpen();
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    if (typeof name !== "string") {
      const hint = this.mode === "sync" ? ' A route that answers by a promise needs { mode: "async" }.' : "";
      throw new TypeError(`Cannot route to ${describe(name)}: a route gives the name of a bucket.${hint}`);
    }
    if (this.#open === undefined) {
      const names = [...this.#byName.keys()].map(describe).join(", ");
      const known = names === "" ? "there is no bucket" : `the buckets are ${names}`;
      throw new RangeError(`Cannot route to ${describe(name)}: ${known}. Add it, or pass open(name).`);
    }
    return this.#keep(name, this.#open(name));
  }

  #keep(name: string, bucket: BucketOf<M>): BucketOf<M> {
    if (this.mode === "sync" && bucket.mode === "async") {
      throw new TypeError(
        `Cannot route to ${describe(name)} at once: its bucket answers by promises. Pass { mode: "async" }.`,
      );
    }
    this.#byName.set(name, bucket);
    return this.scheduleLeak(bucket);
  }
}
