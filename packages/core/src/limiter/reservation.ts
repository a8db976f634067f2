import type { AbstractBucket, Booking } from "../abstract-bucket.js";
import type { Decision } from "../decision.js";
import { checkWeight } from "../item.js";
import { andThen, lift, type Mode, type Outcome } from "../mode.js";

/** Once units have come back, lets those who wait for them ask again. */
type ThenServe<M extends Mode> = (given: Outcome<M, Decision>) => Outcome<M, Decision>;

/** Units that were booked ahead by {@link Limiter.reserve}: wait `delay`, do the work, then settle what it really cost. */
export class Reservation<M extends Mode> {
  /** Whose units they are. */
  readonly key: string;
  /** Units that were booked. */
  readonly weight: number;
  /** Milliseconds from the booking until the units may be used; 0 for at once. */
  readonly delay: number;
  /** When they may be used, in milliseconds on the bucket's clock. */
  readonly at: number;
  readonly #bucket: AbstractBucket<M>;
  readonly #booking: Booking;
  readonly #thenServe: ThenServe<M>;
  #settled = false;

  /** @internal */
  constructor(
    bucket: AbstractBucket<M>,
    key: string,
    weight: number,
    booking: Booking,
    thenServe: ThenServe<M> = (given) => given,
  ) {
    this.#bucket = bucket;
    this.#booking = booking;
    this.#thenServe = thenServe;
    this.key = key;
    this.weight = weight;
    this.delay = booking.decision.retryAfter;
    this.at = booking.at;
  }

  /**
   * Settles what the work really cost: units that were not needed are given back, as if they
   * had never been booked, and those that were needed beside are charged, into debt. The first commit or cancel counts;
   * later ones do nothing.
   */
  commit(actual: number = this.weight): Outcome<M, void> {
    checkWeight("commit", actual, this.key);
    if (this.#settled || actual === this.weight) {
      this.#settled = true;
      return lift<M, void>(this.#bucket.mode, undefined);
    }
    this.#settled = true;
    const item = { key: this.key, weight: Math.abs(actual - this.weight) };
    const isMore = actual > this.weight;
    const settled = isMore ? this.#bucket.charge(item) : this.#thenServe(this.#bucket.cancel(item, this.#booking));
    return andThen<M, unknown, void>(this.#bucket.mode, settled, () => undefined);
  }

  /** Gives back all that time has not: the work is not done, and all is as if nothing had been booked. */
  cancel(): Outcome<M, void> {
    return this.commit(0);
  }
}
