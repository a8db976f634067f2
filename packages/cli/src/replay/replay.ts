import { type Algorithm, ManualClock, toMilliseconds } from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import type { KeyTable } from "../log/key-table.js";
import type { Requests } from "../log/requests.js";
import { BusiestMinutes } from "./busiest-minutes.js";
import type { Limit } from "./limit.js";
import type { KeyCount } from "./most-refused.js";
import { NumberPerKey } from "./per-key.js";
import { type KeyLimits, keyLimits } from "./smallest-limit/key-limits.js";
import { type SmallestLimits, smallestLimits } from "./smallest-limit/refused-share.js";

/** More keys than a process can hold: a key that made room for another would start anew. */
const MAX_KEYS = 2 ** 31 - 1;
const BUSIEST_MINUTES = 5;

/** Puts requests into a bucket at the times at which they were made, and counts what it says. */
export class Replay {
  requests = 0;
  refused = 0;
  /** When the first and the last request came, in microseconds since 1970. */
  from = Number.NaN;
  to = Number.NaN;
  readonly busiestMinutes = new BusiestMinutes(BUSIEST_MINUTES);
  readonly #keys: KeyTable;
  readonly #clock = new ManualClock();
  readonly #bucket: InMemoryBucket;
  readonly #requestsOf = new NumberPerKey();
  readonly #refusedOf = new NumberPerKey();
  readonly #keyLimits: readonly KeyLimits[];

  constructor(limits: readonly Limit[], algorithm: Algorithm, keys: KeyTable) {
    const rates = limits.map(({ rate }) => rate);
    this.#keys = keys;
    this.#bucket = new InMemoryBucket(rates, { algorithm, clock: this.#clock, maxKeys: MAX_KEYS });
    this.#keyLimits = limits.map((limit) => keyLimits(algorithm, limit));
  }

  /** Replays requests that are in order and not before those replayed already. */
  run({ times, keys, size }: Requests): void {
    if (size === 0) return;
    if (this.requests === 0) this.from = times[0] as number;
    this.to = times[size - 1] as number;
    for (let i = 0; i < size; i++) this.#put(keys[i] as number, times[i] as number);
  }

  /** How often each key came and was refused. */
  *counts(): Generator<KeyCount> {
    for (let id = 0; id < this.#keys.size; id++) {
      yield { key: this.#keys.nameOf(id), refused: this.#refusedOf.get(id), requests: this.#requestsOf.get(id) };
    }
  }

  /** For each rate, the limits that would have refused nobody, or few. */
  smallestLimits(): SmallestLimits[] {
    return this.#keyLimits.map((found) => smallestLimits(found.limits(this.#keys.size)));
  }

  #put(key: number, time: number): void {
    this.#clock.set(toMilliseconds(time));
    const refused = !this.#bucket.tryPut(this.#keys.nameOf(key));
    this.requests++;
    this.#requestsOf.increment(key);
    if (refused) {
      this.refused++;
      this.#refusedOf.increment(key);
    }
    this.busiestMinutes.add(time, refused);
    for (const limits of this.#keyLimits) limits.add(key, time);
  }
}
