import {
  type CellAnswer,
  type CellSteps,
  type Rate,
  type RatesLike,
  RemoteBucket,
  type RemoteBucketOptions,
  type Snapshot,
  type State,
  type Step,
  StoreError,
  toMicroseconds,
} from "@sluice/core";
import { CellNames, slotOf } from "./cell-names.js";
import { type Dialect, dialectOf } from "./dialect.js";
import { told, toldFrom } from "./exchange-text.js";
import { makeClient, type OwnedClient } from "./owned-client.js";
import {
  checkClient,
  mastersOf,
  type RedisArgument,
  type RedisClient,
  type SendCommand,
  sender,
} from "./redis-client.js";
import { RedisClock } from "./redis-clock.js";
import { parseRedisUrl } from "./redis-url.js";
import { readCells, readDecisions, readLog } from "./replies.js";
import { sevenBits, WHOLE } from "./seven-bits.js";
import { hasInstant, preamble, stepsText } from "./trip-text.js";

/** What a {@link RedisBucket} can be told. */
export interface RedisBucketOptions extends RemoteBucketOptions {
  /** What the names of all cells begin with; `"sluice"` when left out. Letters, digits and `_.:/@-`. */
  readonly prefix?: string;
}

/** Keys that Redis looks at for one SCAN. */
const SCAN_COUNT = 1000;

/**
 * A bucket in Redis or Valkey, shared by all who reach it, on a single server or a Cluster.
 *
 * A cell is one key of Redis, `prefix:name:algorithm:rates:{key}`, with a time to live: Redis
 * drops it by itself, soon after it is as good as new. Operations ride in
 * trips, one script call each, in which the server's clock decides. On a Cluster the keys of
 * one slot ride together, and the slots travel side by side.
 *
 * What goes wrong is a `StoreError`. Nothing is sent twice, save a script that Redis did not
 * know. A server that comes back without its newest writes admits at most a capacity anew.
 *
 * @example
 * ```ts no-run
 * import { Limiter } from "@sluice/core";
 * import { RedisBucket } from "@sluice/redis";
 * import { Redis } from "ioredis";
 *
 * const bucket = new RedisBucket(new Redis(), "100/min", { name: "sign-in" });
 * const limiter = new Limiter(bucket);
 * if (await limiter.tryAcquire("ada")) console.log("welcome");
 * ```
 */
export class RedisBucket extends RemoteBucket {
  readonly #client: RedisClient;
  readonly #send: SendCommand;
  readonly #names: CellNames;
  readonly #dialect: Dialect;
  /** What the script for one put is told of the rate, where there is one. */
  readonly #parameters: readonly string[];
  /** What trips are told first: where the server's clock decides, and where instants come with the items. */
  readonly #preamble: string;
  readonly #preambleForInstants: string;
  readonly #options: RedisBucketOptions;
  #owned: OwnedClient | undefined;
  /** The bucket whose client this one shares. */
  #owner: RedisBucket | undefined;

  /**
   * @param client A `Redis` or `Cluster` of ioredis; it is only borrowed.
   * @throws TypeError for an algorithm that has no Lua, RangeError for a prefix that is not sound.
   */
  constructor(client: RedisClient, rates: RatesLike, options: RedisBucketOptions = {}) {
    super("Redis", rates, options, new RedisClock(client));
    this.#client = checkClient(client);
    this.#options = { ...options, algorithm: this.algorithm };
    this.#send = sender(client);
    this.#names = new CellNames(options.prefix ?? "sluice", this._prefix);
    this.#dialect = dialectOf(this.algorithm, this._kernel);
    this.#parameters = this._kernel.parameters(0).map(String);
    this.#preamble = preamble(this._kernel, this._storeTime ? "server" : "client");
    this.#preambleForInstants = preamble(this._kernel, this._storeTime ? "some instants" : "client");
  }

  /**
   * Opens a bucket with a client of its own, once that is connected; needs ioredis beside this package.
   *
   * The client connects again by itself. While there is no connection, operations fail at once.
   *
   * @param url `redis://user:password@host:6379/0`, `rediss://` for TLS, or with several nodes
   *   of a Cluster `redis+cluster://host1:7000,host2:7000` and `rediss+cluster://`.
   * @throws StoreError when no server answers there in time, RangeError for an unsound URL.
   *
   * @example
   * ```ts no-run
   * import { tokenBucket } from "@sluice/core";
   * import { RedisBucket } from "@sluice/redis";
   *
   * await using bucket = await RedisBucket.open("redis://localhost", "10/s burst 20", { algorithm: tokenBucket });
   * (await bucket.put({ key: "ada" })).remaining; // 19
   * ```
   */
  static async open(url: string, rates: RatesLike, options: RedisBucketOptions = {}): Promise<RedisBucket> {
    const parsed = parseRedisUrl(url);
    const owned = await makeClient(parsed, options.timeout ?? 5000);
    const bucket = new RedisBucket(owned.client, rates, options);
    bucket.#owned = owned;
    try {
      await bucket._ask(`open ${JSON.stringify(parsed.shown)}`, () => owned.connect());
    } catch (error) {
      owned.disconnect();
      throw error;
    }
    return bucket;
  }

  protected override _lane(key: string): number {
    return this.#client.isCluster === true ? slotOf(this.#names.of(key)) : 0;
  }

  protected override async _send(cells: readonly CellSteps[]): Promise<readonly CellAnswer[]> {
    const { put } = this.#dialect;
    const [first] = cells as [CellSteps];
    if (put !== undefined && this._storeTime && cells.length === 1 && isOnePut(first)) {
      const { weight } = first.steps[0] as Step;
      const reply = await put.run(this.#send, [this.#names.of(first.key)], String(weight), ...this.#parameters);
      if (reply !== null) return readCells(reply, 1, this._kernel.width);
    }
    const names: RedisArgument[] = [];
    for (const { key } of cells) names.push(this.#names.of(key));
    const text = (hasInstant(cells) ? this.#preambleForInstants : this.#preamble) + stepsText(cells);
    const reply = await this.#dialect.trip.run(this.#send, names, text);
    if (this._kernel.form === "log") return readDecisions(reply, cells, this._kernel);
    return readCells(reply, cells.length, this._kernel.width);
  }

  protected override async _read(key: string): Promise<Snapshot> {
    const instant = await this._instant(undefined);
    const snapshot = await this._ask("read", () => this.#readCell(key));
    return instant === undefined ? snapshot : { now: instant, state: snapshot.state };
  }

  protected override _reopen(rates: readonly Rate[]): RedisBucket {
    const bucket = new RedisBucket(this.#client, rates, this.#options);
    bucket.#owner = this;
    return bucket;
  }

  protected override async _exchange(key: string, from: State, to: State): Promise<boolean> {
    const text = await this.#textWithInstant(undefined);
    const states = [toldFrom(this._kernel, from), told(this._kernel, to)];
    const exchange = () => this.#dialect.exchange.run(this.#send, [this.#names.of(key)], text, ...states);
    return (await this._ask("replace the rates", exchange)) === 1;
  }

  protected override async _leak(at: number | undefined): Promise<number> {
    const text = await this.#textWithInstant(at);
    let dropped = 0;
    for await (const names of this.#scan("leak")) {
      const counts = await this._ask("leak", () =>
        Promise.all(this.#together(names).map((some) => this.#dialect.leak.run(this.#send, some, text))),
      );
      for (const count of counts) dropped += count as number;
    }
    return dropped;
  }

  /** Redis drops cells by itself when their time is over. */
  protected override async _sweep(): Promise<boolean> {
    return false;
  }

  protected override async _flush(key: string | undefined): Promise<void> {
    if (key !== undefined) {
      await this._ask("flush", () => this.#send("unlink", this.#names.of(key)));
      return;
    }
    for await (const names of this.#scan("flush")) {
      await this._ask("flush", () => Promise.all(this.#together(names).map((some) => this.#send("unlink", some))));
    }
  }

  protected override _now(): Promise<number> {
    return this._ask("tell the time", async () => toMicroseconds(await this.clock.now()));
  }

  protected override _giveUp(): void {
    (this.#owner ?? this).#owned?.reconnect();
  }

  protected override async _disconnect(): Promise<void> {
    const owned = this.#owned;
    if (owned === undefined) return;
    try {
      await this._ask("close", () => owned.quit());
    } catch (error) {
      // What cannot be closed in good order is closed all the same.
      if (!(error instanceof StoreError)) throw error;
      owned.disconnect();
    }
  }

  /** What the scripts are told that go by one instant. */
  async #textWithInstant(at: number | undefined): Promise<string> {
    const instant = await this._instant(at);
    if (instant === undefined) return preamble(this._kernel, "server");
    return preamble(this._kernel, "client") + sevenBits(instant, WHOLE);
  }

  async #readCell(key: string): Promise<Snapshot> {
    const { read, trip } = this.#dialect;
    const names = [this.#names.of(key)];
    if (read !== undefined) return readLog(await read.run(this.#send, names, this.#preamble), this._kernel);
    const peek = { key, steps: [{ operation: "peek", weight: 0, at: undefined, time: 0, count: 1 }] } as const;
    const reply = await trip.run(this.#send, names, this.#preamble + stepsText([peek]));
    const [answer] = readCells(reply, 1, this._kernel.width);
    const { now, before } = answer as { now: number; before: { numbers: Float64Array; offset: number } };
    return { now, state: before };
  }

  /** The names of all cells of this bucket, some at a time; one may come twice. */
  async *#scan(action: string): AsyncGenerator<RedisArgument[]> {
    // Once a Cluster has answered, it knows its nodes.
    await this._ask(action, () => this.#send("time"));
    for (const master of mastersOf(this.#client)) {
      const send = sender(master);
      let cursor = "0";
      do {
        const scan = () => send("scan", cursor, "MATCH", this.#names.pattern, "COUNT", SCAN_COUNT);
        const [next, names] = (await this._ask(action, scan)) as [Buffer, Buffer[]];
        if (names.length > 0) yield names;
        cursor = next.toString();
      } while (cursor !== "0");
    }
  }

  /** Names in groups that may go into one command. */
  #together(names: readonly RedisArgument[]): (readonly RedisArgument[])[] {
    if (this.#client.isCluster !== true) return [names];
    const groups = new Map<number, RedisArgument[]>();
    for (const name of names) {
      const group = groups.get(slotOf(name));
      if (group === undefined) groups.set(slotOf(name), [name]);
      else group.push(name);
    }
    return [...groups.values()];
  }
}

/** Whether all that is done to a key is a single put, at the time of the server. */
function isOnePut({ steps }: CellSteps): boolean {
  const { operation, weight, count, at } = steps[0] as Step;
  return steps.length === 1 && operation === "put" && count === 1 && weight > 0 && at === undefined;
}
