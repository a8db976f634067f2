import type { AbstractBucket, Booking } from "../abstract-bucket.js";
import type { Kernel } from "../algorithms/kernel.js";
import { checkWeight } from "../item.js";
import { andThen, lift, type Mode, type Outcome } from "../mode.js";
import { shareKept } from "../replace/strategy.js";

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
  /** The rates that it was booked under. */
  readonly #kernel: Kernel;
  readonly #onGivenBack: () => void;
  #settled = false;

  /** @internal */
  constructor(bucket: AbstractBucket<M>, key: string, weight: number, booking: Booking, onGivenBack: () => void) {
    this.#bucket = bucket;
    this.#booking = booking;
    this.#kernel = bucket.kernel;
    this.#onGivenBack = onGivenBack;
    this.key = key;
    this.weight = weight;
    this.delay = booking.decision.retryAfter;
    this.at = booking.at;
  }

  /**
   * Settles what the work really cost: units that were not needed are given back, as if they
   * had never been booked, and those that were needed beside are charged, into debt. Where the
   * rates were replaced by smaller ones meanwhile, no more comes back than surely still counts.
   * The first commit or cancel counts; later ones do nothing.
   */
  commit(actual: number = this.weight): Outcome<M, void> {
    checkWeight("commit", actual, this.key);
    if (this.#settled || actual === this.weight) {
      this.#settled = true;
      return lift<M, void>(this.#bucket.mode, undefined);
    }
    this.#settled = true;
    if (actual < this.weight) return this.#giveBack(this.weight - actual);
    const charged = this.#bucket.charge({ key: this.key, weight: actual - this.weight });
    return andThen<M, unknown, void>(this.#bucket.mode, charged, () => undefined);
  }

  /** Gives back all that time has not: the work is not done, and all is as if nothing had been booked. */
  cancel(): Outcome<M, void> {
    return this.commit(0);
  }

  #giveBack(units: number): Outcome<M, void> {
    // By which strategy they were replaced is not known here.
    const share = shareKept(this.#bucket.kernel, this.#kernel, "proportional");
    const given = this.#bucket.cancel({ key: this.key, weight: Math.floor(units * share) }, this.#booking);
    return andThen<M, unknown, void>(this.#bucket.mode, given, this.#onGivenBack);
  }
}
