import {
  type Cell,
  type CellAnswer,
  type CellSteps,
  cancel,
  copyState,
  type Decision,
  isFresh,
  ManualClock,
  operate,
  type Rate,
  type RatesLike,
  RemoteBucket,
  type RemoteBucketOptions,
  reserve,
  type Snapshot,
  type State,
  type Step,
  sameState,
} from "@sluice/core";

/** The cells of buckets, by their prefixes and keys. */
export type MapServer = Map<string, Map<string, State>>;

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
  readonly #options: RemoteBucketOptions;
  readonly #server: MapServer;
  readonly #cells: Map<string, State>;

  /** @param server What lies at the other end; of its own when left out. */
  constructor(
    rates: RatesLike,
    options: RemoteBucketOptions = {},
    serverClock = new ManualClock(),
    server: MapServer = new Map(),
  ) {
    super("The map", rates, options, serverClock);
    this.serverClock = serverClock;
    this.#options = { ...options, algorithm: this.algorithm };
    this.#server = server;
    this.#cells = server.get(this._prefix) ?? new Map();
    server.set(this._prefix, this.#cells);
  }

  protected override _reopen(rates: readonly Rate[]): MapRemoteBucket {
    const bucket = new MapRemoteBucket(rates, this.#options, this.serverClock, this.#server);
    bucket.travel = () => this.travel();
    return bucket;
  }

  protected override async _exchange(key: string, from: State, to: State): Promise<boolean> {
    return this._ask("replace the rates", async () => {
      await this.travel();
      const { _kernel: kernel } = this;
      if (!sameState(kernel, this.#cells.get(key) ?? kernel.fresh(), from)) return false;
      if (isFresh(kernel, to)) this.#cells.delete(key);
      else this.#cells.set(key, copyState(kernel, to));
      return true;
    });
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
    return this._ask("read", async () => {
      await this.travel();
      const now = instant ?? this.serverClock.now() * 1000;
      return { now, state: copyState(this._kernel, this.#cells.get(key) ?? this._kernel.fresh()) };
    });
  }

  protected override async _leak(at: number | undefined): Promise<number> {
    const now = (await this._instant(at)) ?? this.serverClock.now() * 1000;
    const idle = [...this.#cells].filter(([, state]) => this._kernel.reset(state, now, 0) === 0);
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
    const state = this.#cells.get(key) ?? this._kernel.fresh();
    const before = copyState(this._kernel, state);
    const decisions: Decision[] = [];
    const save = () => {
      this.#cells.set(key, state);
      return state;
    };
    for (const step of steps) {
      for (let i = 0; i < step.count; i++) decisions.push(this.#step(step, state, now, save));
    }
    return this._kernel.form === "cell" ? { now, before: before as Cell } : { now, decisions };
  }

  #step({ operation, weight, at, time }: Step, state: State, now: number, save: () => State): Decision {
    if (operation === "reserve") return reserve(this._kernel, state, at ?? now, weight, time, save).decision;
    if (operation === "cancel") return cancel(this._kernel, state, at ?? now, weight, time, time, save);
    return operate(this._kernel, operation, state, at ?? now, weight, save);
  }
}
