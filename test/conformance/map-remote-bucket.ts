import {
  type Cell,
  type CellAnswer,
  type CellSteps,
  copyState,
  type Decision,
  ManualClock,
  operate,
  type RatesLike,
  RemoteBucket,
  type RemoteBucketOptions,
  type Snapshot,
  type State,
} from "@sluice/core";

/**
 * A store across a wire whose other end is a map in this process, with a clock of its own
 * that a test can set: for what core does around the stores, and for nothing that a store does.
 */
export class MapRemoteBucket extends RemoteBucket {
  /** The clock at the other end. */
  readonly serverClock: ManualClock;
  /** What each trip carried, as `key: operation x count of weight`. */
  readonly trips: string[][] = [];
  /** How the next trips travel; at once when there is none. */
  travel: () => Promise<void> = async () => {};
  disconnected = 0;
  readonly #cells = new Map<string, State>();

  constructor(rates: RatesLike, options: RemoteBucketOptions = {}, serverClock = new ManualClock()) {
    super("The map", rates, options, serverClock);
    this.serverClock = serverClock;
  }

  protected override async _send(cells: readonly CellSteps[]): Promise<readonly CellAnswer[]> {
    this.trips.push(
      cells.flatMap(({ key, steps }) =>
        steps.map(({ operation, weight, count }) => `${key}: ${operation} ${count} x ${weight}`),
      ),
    );
    await this.travel();
    const now = this.serverClock.now() * 1000;
    return cells.map((cell) => this.#carryOut(cell, now));
  }

  protected override async _read(key: string): Promise<Snapshot> {
    const instant = await this._instant(undefined);
    return this._ask("read", async () => ({
      now: instant ?? this.serverClock.now() * 1000,
      state: copyState(this.kernel, this.#cells.get(key) ?? this.kernel.fresh()),
    }));
  }

  protected override async _leak(at: number | undefined): Promise<number> {
    const now = (await this._instant(at)) ?? this.serverClock.now() * 1000;
    const idle = [...this.#cells].filter(([, state]) => this.kernel.reset(state, now, 0) === 0);
    for (const [key] of idle) this.#cells.delete(key);
    return idle.length;
  }

  protected override async _flush(key: string | undefined): Promise<void> {
    if (key === undefined) this.#cells.clear();
    else this.#cells.delete(key);
  }

  protected override async _disconnect(): Promise<void> {
    this.disconnected++;
  }

  #carryOut({ key, steps }: CellSteps, now: number): CellAnswer {
    const state = this.#cells.get(key) ?? this.kernel.fresh();
    const before = copyState(this.kernel, state);
    const decisions: Decision[] = [];
    const save = () => {
      this.#cells.set(key, state);
      return state;
    };
    for (const { operation, weight, at, count } of steps) {
      for (let i = 0; i < count; i++) {
        decisions.push(operate(this.kernel, operation, state, at ?? now, weight, save));
      }
    }
    return this.kernel.form === "cell" ? { now, before: before as Cell } : { decisions };
  }
}
