import type { Limiter } from "../limiter/limiter.js";
import type { Units } from "./budget.js";

/** What {@link Budget.reserve} took before a call: settle it once the call is done, or cancel it. */
export class BudgetReservation<N extends string> {
  readonly #key: string;
  readonly #cost: ReadonlyMap<N, number>;
  readonly #limiter: (name: N) => Limiter<"async">;
  readonly #check: (usage: Units<N>) => Map<N, number>;
  #settled: Promise<void> | undefined;

  /** @internal */
  constructor(
    key: string,
    cost: ReadonlyMap<N, number>,
    limiter: (name: N) => Limiter<"async">,
    check: (usage: Units<N>) => Map<N, number>,
  ) {
    this.#key = key;
    this.#cost = cost;
    this.#limiter = limiter;
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
   * Gives everything back: the call was not made. This is a refund, which knows nothing of time:
   * under the token bucket, settle soon, for units that time has given back meanwhile are given twice.
   */
  async cancel(): Promise<void> {
    this.#settled ??= this.#settle(() => 0);
    await this.#settled;
  }

  async #settle(real: (name: N, reserved: number) => number): Promise<void> {
    await Promise.all(
      [...this.#cost].map(([name, reserved]) => {
        const more = real(name, reserved) - reserved;
        if (more === 0) return undefined;
        const limiter = this.#limiter(name);
        return more > 0 ? limiter.charge(this.#key, more) : limiter.refund(this.#key, -more);
      }),
    );
  }
}
