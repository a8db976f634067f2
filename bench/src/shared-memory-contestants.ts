/**
 * Who is measured on several threads: Sluice, the same done by hand on shared memory, and a thread that decides for all.
 *
 * @module
 */
import type { MessagePort } from "node:worker_threads";
import { MonotonicClock, type Rate, tokenBucket } from "@sluice/core";
import { SharedMemoryBucket, type SharedMemoryHandle } from "@sluice/memory";

/** Decides on one unit for a key. */
export type Decide = (key: string) => boolean;

/** A token bucket by hand, the GCRA: one arrival time a key, changed by compare-and-swap. */
interface ByHand {
  readonly buffer: SharedArrayBuffer;
  readonly rate: Rate;
  /** All of them, in the same order in every thread: a key's place is its slot. */
  readonly keys: readonly string[];
  /** Milliseconds on the clock when the threads were started. */
  readonly start: number;
}

/** In 32 bits, microseconds from the start: as fast as can be, and wrong after 35 minutes. */
export function byHand32({ buffer, rate, keys, start }: ByHand): Decide {
  const clock = new MonotonicClock();
  const slots = new Map(keys.map((key, slot) => [key, slot]));
  const arrivals = new Int32Array(buffer);
  const step = (rate.interval * 1000) / rate.limit;
  const burst = rate.interval * 1000;
  return (key) => {
    const slot = slots.get(key) as number;
    const now = Math.round((clock.now() - start) * 1000);
    for (;;) {
      const arrival = Atomics.load(arrivals, slot);
      const next = (arrival < now ? now : arrival) + step;
      if (next - now > burst) return false;
      if (Atomics.compareExchange(arrivals, slot, arrival, next) === arrival) return true;
    }
  };
}

/** In 64 bits, microseconds since 1970: right, and slower for it. */
export function byHand64({ buffer, rate, keys }: ByHand): Decide {
  const clock = new MonotonicClock();
  const slots = new Map(keys.map((key, slot) => [key, slot]));
  const arrivals = new BigInt64Array(buffer);
  const step = (rate.interval * 1000) / rate.limit;
  const burst = rate.interval * 1000;
  return (key) => {
    const slot = slots.get(key) as number;
    const now = Math.round(clock.now() * 1000);
    for (;;) {
      const seen = Atomics.load(arrivals, slot);
      const arrival = Number(seen);
      const next = (arrival < now ? now : arrival) + step;
      if (next - now > burst) return false;
      if (Atomics.compareExchange(arrivals, slot, seen, BigInt(next)) === seen) return true;
    }
  };
}

/** `SharedMemoryBucket.tryPut`, attached. */
export function sluice(handle: SharedMemoryHandle): Decide {
  const bucket = SharedMemoryBucket.attach(handle, { algorithm: tokenBucket });
  return (key) => bucket.tryPut(key);
}

/** A question to the thread that decides, one at a time, as a caller that waits for the answer. */
export function byMessage(port: MessagePort): (key: string) => Promise<boolean> {
  let answer: (admitted: boolean) => void = () => {};
  port.on("message", (admitted: boolean) => answer(admitted));
  return (key) =>
    new Promise((resolve) => {
      answer = resolve;
      port.postMessage(key);
    });
}
