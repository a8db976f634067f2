import type { Units } from "./budget.js";
import type { Held } from "./held.js";

/** What {@link Budget.reserve} took before a call: settle it once the call is done, or cancel it. */
export class BudgetReservation<N extends string> {
  readonly #cost: ReadonlyMap<N, number>;
  readonly #hold: (name: N) => Held;
  readonly #check: (usage: Units<N>) => Map<N, number>;
  #settled: Promise<void> | undefined;

  /** @internal */
  constructor(cost: ReadonlyMap<N, number>, hold: (name: N) => Held, check: (usage: Units<N>) => Map<N, number>) {
    this.#cost = cost;
    this.#hold = hold;
    this.#check = check;
  }

  /**
   * Settles what the call really cost: what was reserved beyond it is given back, what it
   * cost beyond that is charged, into debt. A dimension that is not named cost what was
   * reserved. The first commit or cancel counts; later ones do nothing.
   */
  async commit(usage: Units<N> = {}): Promise<void> {
    const real = this.#check(usage);
    this.#settled ??= this.#settle((name, reserved) => real.get(name) ?? reserved);
    await this.#settled;
  }

  /**
   * Gives everything back: the call was not made, and where the algorithm can book, all is as
   * if nothing had been reserved. Of a dimension that was waited for, or cannot be booked, this is a
   * refund, which knows nothing of time: units that time has given back meanwhile are given twice.
   */
  async cancel(): Promise<void> {
    this.#settled ??= this.#settle(() => 0);
    await this.#settled;
  }

  async #settle(real: (name: N, reserved: number) => number): Promise<void> {
    await Promise.all(
      [...this.#cost].map(([name, reserved]) => {
        const cost = real(name, reserved);
        return cost === reserved ? undefined : this.#hold(name).commit(cost);
      }),
    );
  }
}
