/**
 * Who is measured: Sluice, its fastest peers, and the same done by hand.
 *
 * @module
 */
import { memoryStore } from "@joint-ops/hitlimit/stores/memory";
import {
  type AbstractClock,
  type Algorithm,
  Limiter,
  MonotonicClock,
  type Rate,
  slidingWindowLog,
  tokenBucket,
} from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import { MemoryStore } from "hono-rate-limiter";
import { RateLimiterMemory } from "rate-limiter-flexible";

/** Decides on one unit for a key, and says whether it was admitted. */
export type Contestant = (key: string) => boolean;

/** A token bucket by hand, the GCRA: one map and one array, made for all keys beforehand. */
export function handWritten(rate: Rate, keys: number, clock: AbstractClock = new MonotonicClock()): Contestant {
  const slots = new Map<string, number>();
  const arrivals = new Float64Array(keys);
  const step = (rate.interval * 1000) / rate.limit;
  const burst = rate.interval * 1000;
  return (key) => {
    const now = Math.round(clock.now() * 1000);
    let slot = slots.get(key);
    if (slot === undefined) {
      slot = slots.size;
      slots.set(key, slot);
    }
    let arrival = arrivals[slot] as number;
    if (arrival < now) arrival = now;
    const next = arrival + step;
    if (next - now > burst) return false;
    arrivals[slot] = next;
    return true;
  };
}

/** `Limiter.tryAcquire` over an in-memory bucket, everything else as it comes. */
export function sluice(rate: Rate, algorithm: Algorithm, clock?: AbstractClock): Contestant {
  const limiter = new Limiter(new InMemoryBucket(rate, clock === undefined ? { algorithm } : { algorithm, clock }));
  return (key) => limiter.tryAcquire(key);
}

/** The memory store of hitlimit, a fixed window; its caller compares with the limit. */
export function hitlimit(rate: Rate): Contestant {
  const store = memoryStore();
  return (key) => (store.hit(key, rate.interval, rate.limit) as { count: number }).count <= rate.limit;
}

/** The memory store of hono-rate-limiter, a fixed window; its caller compares with the limit. */
export function hono(rate: Rate): Contestant {
  const store = new MemoryStore();
  store.init({ windowMs: rate.interval } as Parameters<typeof store.init>[0]);
  return (key) => store.increment(key).totalHits <= rate.limit;
}

/** rate-limiter-flexible in memory: it answers by promises only. */
export function flexible(rate: Rate): (key: string) => Promise<boolean> {
  const limiter = new RateLimiterMemory({ points: rate.limit, duration: rate.interval / 1000 });
  const yes = () => true;
  // It rejects what it refuses.
  const no = () => false;
  return (key) => limiter.consume(key).then(yes, no);
}

export { slidingWindowLog, tokenBucket };
