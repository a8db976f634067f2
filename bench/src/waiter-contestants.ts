/**
 * Who lets callers wait: Sluice, its peers, and a line by hand.
 *
 * @module
 */
import {
  type AbstractClock,
  Limiter as CoreLimiter,
  fixedWindow,
  LeakyBucketQueue,
  MonotonicClock,
  Rate,
} from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import Bottleneck from "bottleneck";
import { RateLimiter } from "limiter";
import PQueue from "p-queue";
import pThrottle from "p-throttle";
import { RateLimiterMemory, RateLimiterQueue } from "rate-limiter-flexible";

/** Waits for one unit. */
export type Waiting = () => Promise<unknown>;

/** Makes one that lets `limit` pass in an `interval` of milliseconds. */
export type Contestant = (limit: number, interval: number) => Waiting;

/** The least: an array of those who wait, each with its weight, a token check, and a timer until the window ends. */
export function byHand(limit: number, interval: number, clock: AbstractClock = new MonotonicClock()): Waiting {
  const line: { weight: number; resolve: () => void; reject: (error: unknown) => void }[] = [];
  let first = 0;
  let tokens = limit;
  let end = clock.now() + interval;
  let isTimed = false;
  const refill = () => {
    const now = clock.now();
    if (now < end) return;
    tokens = limit;
    end = now + interval;
  };
  const drain = () => {
    isTimed = false;
    refill();
    for (let waiter = line[first]; waiter !== undefined && waiter.weight <= tokens; waiter = line[++first]) {
      tokens -= waiter.weight;
      waiter.resolve();
    }
    line.splice(0, first);
    first = 0;
    if (line.length > 0) waitForEnd();
  };
  const waitForEnd = () => {
    isTimed = true;
    clock.schedule(end - clock.now(), drain);
  };
  return () =>
    new Promise<void>((resolve, reject) => {
      refill();
      if (line.length === 0 && tokens >= 1) {
        tokens--;
        resolve();
        return;
      }
      line.push({ weight: 1, resolve, reject });
      if (!isTimed) waitForEnd();
    });
}

/** `limiter.acquire` over an in-memory fixed window. */
export function sluice(limit: number, interval: number, clock: AbstractClock = new MonotonicClock()): Waiting {
  const limiter = new CoreLimiter(new InMemoryBucket(new Rate(limit, interval), { algorithm: fixedWindow, clock }));
  return () => limiter.acquire("hot");
}

/** The queue-based leaky bucket. */
export function leakyBucketQueue(limit: number, interval: number): Waiting {
  const queue = new LeakyBucketQueue({ capacity: limit, seconds: interval / 1000 });
  return () => queue.acquire();
}

const nothing = () => {};

/** The peers, by name. */
export const PEERS: Readonly<Record<string, Contestant>> = {
  "p-queue": (limit, interval) => {
    const queue = new PQueue({ intervalCap: limit, interval });
    return () => queue.add(async () => {});
  },
  "p-throttle": (limit, interval) => pThrottle({ limit, interval })(async () => {}),
  limiter: (limit, interval) => {
    const limiter = new RateLimiter({ tokensPerInterval: limit, interval });
    return () => limiter.removeTokens(1);
  },
  "RLF queue": (limit, interval) => {
    const points = new RateLimiterMemory({ points: limit, duration: interval / 1000 });
    const queue = new RateLimiterQueue(points, { maxQueueSize: 10_000_000 });
    return () => queue.removeTokens(1);
  },
  bottleneck: (limit, interval) => {
    const limiter = new Bottleneck({
      reservoir: limit,
      reservoirRefreshAmount: limit,
      reservoirRefreshInterval: Math.ceil(interval / 250) * 250,
    });
    return () => limiter.schedule(async () => nothing());
  },
};

/** All of them, by name: those who let callers wait. */
export const CONTESTANTS: Readonly<Record<string, Contestant>> = {
  "by hand": byHand,
  sluice,
  "sluice, LeakyBucketQueue": leakyBucketQueue,
  ...PEERS,
};
