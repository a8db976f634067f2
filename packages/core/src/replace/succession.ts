/**
 * The generations of a bucket whose rates were replaced: the cells under the newest rates,
 * and those under older ones from which keys are still carried over.
 *
 * @module
 */
import type { AbstractBucket } from "../abstract-bucket.js";
import type { AbstractClock } from "../clock/abstract-clock.js";
import { toMicroseconds } from "../duration.js";
import { andThen, inOrder, lift, type Mode, type Outcome, promiseOf } from "../mode.js";
import type { Rate } from "../rate.js";
import { carryOver } from "./carry-over.js";
import type { Generation } from "./generation.js";
import { SettledKeys } from "./settled-keys.js";
import { type CarryStrategy, type ReplaceStrategy, sameRates } from "./strategy.js";

/** A generation from which keys are carried over to the next. Times are milliseconds of `elapsed()`. */
interface Older<M extends Mode> {
  readonly generation: Generation<M>;
  readonly strategy: CarryStrategy;
  readonly replaced: number;
  /** When two capacities have flowed back, and nothing is carried over any more. */
  readonly until: number;
}

/** Sends what is asked of a bucket to its newest generation, and carries over what is to count there. */
export class Succession<M extends Mode> {
  readonly #mode: M;
  readonly #clock: AbstractClock<Mode>;
  #current: Generation<M>;
  /** The oldest first; each is carried over to the one after it. */
  #older: Older<M>[] = [];
  /** Those from which nothing is carried over any more, as long as there may be cells to drop. */
  #past: Generation<M>[] = [];
  /** All rates that have ever decided, as texts. */
  readonly #decided = new Set<string>();
  readonly #keys = new SettledKeys();
  /** What the newest generation has to wait for. */
  #blocked: Promise<void> | undefined;
  /** Fulfilled once the cells that a reset gave up are dropped. */
  #dropping: Promise<void> | undefined;

  constructor(mode: M, clock: AbstractClock<Mode>, first: Generation<M>) {
    this.#mode = mode;
    this.#clock = clock;
    this.#current = first;
    this.#decided.add(String(first.kernel.rates));
  }

  /** The newest. */
  get current(): Generation<M> {
    return this.#current;
  }

  /** All of which there may be cells. */
  get generations(): readonly Generation<M>[] {
    this.#expire();
    return [...this.#past, ...this.#older.map(({ generation }) => generation), this.#current];
  }

  /** The generation of these rates, where there is one. */
  find(rates: readonly Rate[]): Generation<M> | undefined {
    this.#expire();
    const living = [this.#current, ...this.#older.map(({ generation }) => generation)];
    return living.find(({ kernel }) => sameRates(kernel.rates, rates));
  }

  /**
   * Goes on in another generation.
   *
   * @param next A new one, or one that `find` gave: of that the cells are as they should be.
   */
  replace(next: Generation<M>, strategy: ReplaceStrategy): Outcome<M, void> {
    if (strategy === "reset") return this.#reset(next);
    if (next === this.#current) return lift(this.#mode, undefined);
    const previous = this.#current;
    const replaced = this.#clock.elapsed();
    const { kernel } = previous;
    const most = Math.max(...kernel.rates.map((_, rate) => kernel.capacity(rate)));
    const until = replaced + (2 * kernel.reset(kernel.fresh(), 0, most)) / 1000;
    this.#older = without(next, [...this.#older, { generation: previous, strategy, replaced, until }]);
    this.#current = next;
    this.#decided.add(String(next.kernel.rates));
    this.#keys.clear();
    // What is underway to the old cells must be there before they are looked at, and what a
    // reset gave up must be gone before it could count again.
    const dropped = lift<M, void>(this.#mode, this.#dropping);
    return this.#block(andThen<M, void, void>(this.#mode, dropped, () => previous.settled()));
  }

  /** Runs something on the newest generation, once all that counts for the keys is there. */
  on<T>(keys: readonly string[], run: (bucket: AbstractBucket<M>) => Outcome<M, T>): Outcome<M, T> {
    this.#expire();
    if (this.#mode === "sync") {
      for (const key of keys) void this.#carry(key);
      return run(this.#current.bucket);
    }
    const wait = this.#wait(keys);
    if (wait === undefined) return run(this.#current.bucket);
    // When it is over, the rates may have been replaced again.
    return andThen(this.#mode, lift<M, unknown>(this.#mode, wait), () => this.on(keys, run));
  }

  /** Drops the cells that are as good as new, and says how many. */
  leak(now: number | undefined): Outcome<M, number> {
    const counts = inOrder(this.#mode, this.generations, (generation) => generation.leak(now));
    this.#past = [];
    return andThen(this.#mode, counts, (each: number[]) => each.reduce((sum, count) => sum + count, 0));
  }

  /** Drops cells for about `budget` milliseconds and says whether there is more to do. */
  sweep(budget: number): Outcome<M, boolean> {
    const { generations } = this;
    const swept = inOrder(this.#mode, generations, (generation) => generation.sweep(budget / generations.length));
    return andThen(this.#mode, swept, (more: boolean[]) => {
      this.#past = this.#past.filter((generation) => more[generations.indexOf(generation)] !== false);
      return more.includes(true);
    });
  }

  /** Forgets one key, or all, in every generation. */
  flush(key: string | undefined): Outcome<M, void> {
    const idle = this.#mode === "sync" ? undefined : this.#idle(key);
    return andThen(this.#mode, lift<M, void>(this.#mode, idle), () => {
      const flushed = inOrder(this.#mode, this.generations, (generation) => generation.flush(key));
      return andThen<M, void[], void>(this.#mode, flushed, () => undefined);
    });
  }

  /** Closes all generations but `first`, which it was made with: that owns what the others use. */
  close(first: AbstractBucket<M>): Outcome<M, void> {
    return andThen(this.#mode, this.#quiet(), () => {
      const others = this.generations.filter(({ bucket }) => bucket !== first);
      const closed = inOrder(this.#mode, others, ({ bucket }) => bucket.close());
      return andThen<M, void[], void>(this.#mode, closed, () => undefined);
    });
  }

  #reset(next: Generation<M>): Outcome<M, void> {
    // Of rates that there were before there may be cells, which do not count any more.
    const known = this.#decided.has(String(next.kernel.rates));
    const others = this.generations.filter((generation) => generation !== next);
    for (const generation of others) generation.retire();
    this.#past = others;
    this.#older = [];
    this.#current = next;
    this.#decided.add(String(next.kernel.rates));
    this.#keys.clear();
    if (known) return this.#block(this.#drop([...others, next]));
    // Nobody has to wait: these are other cells than those that are dropped.
    return this.#drop(others);
  }

  /**
   * Drops cells that a reset gave up, now and not when their rates come back: another process
   * may have come back before, and what is there then counts.
   */
  #drop(generations: readonly Generation<M>[]): Outcome<M, void> {
    const dropped = andThen<M, void, void>(this.#mode, this.#quiet(), () => {
      const all = inOrder<M, Generation<M>, void>(this.#mode, generations, (generation) =>
        andThen<M, void, void>(this.#mode, generation.settled(), () => generation.flush(undefined)),
      );
      return andThen<M, void[], void>(this.#mode, all, () => undefined);
    });
    const promise = promiseOf(this.#mode, dropped);
    if (promise === undefined) return dropped;
    const over = () => {
      if (this.#dropping === dropping) this.#dropping = undefined;
    };
    const dropping: Promise<void> = promise.then(over, over);
    this.#dropping = dropping;
    return dropped;
  }

  /** Lets all calls wait for what a replacement begins with, whether it goes well or not. */
  #block(begun: Outcome<M, void>): Outcome<M, void> {
    const promise = promiseOf(this.#mode, begun);
    if (promise === undefined) return begun;
    const open = () => {
      if (this.#blocked === blocked) this.#blocked = undefined;
    };
    const blocked: Promise<void> = Promise.all([this.#blocked, promise]).then(open, open);
    this.#blocked = blocked;
    return begun;
  }

  /** What has to be waited for before the keys may be used; `undefined` for nothing. */
  #wait(keys: readonly string[]): Promise<unknown> | undefined {
    if (this.#blocked !== undefined) return this.#blocked;
    if (this.#older.length === 0) return undefined;
    const carry = (key: string) => this.#keys.settle(key, async () => promiseOf(this.#mode, this.#carry(key)));
    const waits = keys.map(carry).filter((wait) => wait !== undefined);
    return waits.length === 0 ? undefined : Promise.all(waits);
  }

  /** Once nothing is carried over or dropped at this moment. */
  #quiet(): Outcome<M, void> {
    const quiet = this.#mode === "sync" ? undefined : Promise.all([this.#idle(), this.#dropping]);
    return lift<M, void>(
      this.#mode,
      quiet?.then(() => undefined),
    );
  }

  async #idle(key?: string): Promise<void> {
    await this.#blocked;
    await this.#keys.idle(key);
  }

  /** Carries a key over, from each generation to the one after it. */
  #carry(key: string): Outcome<M, void> {
    const steps = this.#older.map((older, i) => ({ ...older, to: this.#older[i + 1]?.generation ?? this.#current }));
    const carried = inOrder(this.#mode, steps, ({ generation, to, strategy, replaced }) => {
      const replacedAt = (now: number) => now - toMicroseconds(Math.max(0, this.#clock.elapsed() - replaced));
      return carryOver({ mode: this.#mode, from: generation, to, strategy, replacedAt }, key);
    });
    return andThen<M, void[], void>(this.#mode, carried, () => undefined);
  }

  /** Lets go of generations from which nothing is carried over any more. */
  #expire(): void {
    if (this.#older.length === 0) return;
    const now = this.#clock.elapsed();
    const over = this.#older.filter(({ until }) => until <= now);
    if (over.length === 0) return;
    for (const { generation } of over) generation.retire();
    this.#past.push(...over.map(({ generation }) => generation));
    this.#older = this.#older.filter(({ until }) => until > now);
    if (this.#older.length === 0) this.#keys.clear();
  }
}

/** The list without a generation whose rates are the newest again: the one before it is carried over past it. */
function without<M extends Mode>(next: Generation<M>, list: readonly Older<M>[]): Older<M>[] {
  const place = list.findIndex(({ generation }) => generation === next);
  if (place < 0) return [...list];
  const before = list.slice(0, place);
  const last = before.pop();
  if (last !== undefined) {
    const { strategy } = list[place] as Older<M>;
    before.push(strategy === "proportional" ? { ...last, strategy } : last);
  }
  return [...before, ...list.slice(place + 1)];
}
