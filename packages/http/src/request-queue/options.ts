import {
  type AbortSignalLike,
  type AbstractClock,
  atLeast0,
  describe,
  type Mode,
  MonotonicClock,
  wholeAtLeast,
} from "@sluice/core";
import { checkCallable, checkNames } from "../check-names.js";
import { KNOWN_QUEUE } from "./known-options.js";

/** Who is served next: who has waited longest, or who came last. */
export type QueueOrder = "fifo" | "newest-first";

/** How a {@link RequestQueue} is made. */
export interface RequestQueueOptions {
  /** How many may be at work at a time. */
  readonly maxConcurrent: number;
  /** How many may wait at a time; 1,000 when left out. 0 is any number, and says so when the queue is made. */
  readonly maxDepth?: number;
  /** Milliseconds to wait at most, any time when left out. 0 is not at all: whoever finds no free slot is refused. */
  readonly maxWait?: number;
  /** Who is served next among equal priorities; `"fifo"` when left out. */
  readonly order?: QueueOrder;
  /** Where the time comes from; a `MonotonicClock` when left out. */
  readonly clock?: AbstractClock<Mode>;
  /** What is told that the queue has no bound; `console.warn` when left out. */
  readonly warn?: (message: string) => void;
}

/** How {@link RequestQueue.acquire} waits. */
export interface AcquireSlotOptions {
  /** Ends the wait; the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignalLike | undefined;
  /** Higher ones are served first; 0 when left out. */
  readonly priority?: number | undefined;
}

/** How {@link RequestQueue.close} ends. */
export interface CloseQueueOptions {
  /** What becomes of those who wait: they are still served (the default), or turned away with `CLOSED`. */
  readonly waiting?: "finish" | "reject";
}

/** Fills in the defaults, and checks what was given. */
export function checkQueueOptions(options: RequestQueueOptions): Required<RequestQueueOptions> {
  checkNames(options, KNOWN_QUEUE);
  const { maxConcurrent, maxDepth = 1000, maxWait = Number.POSITIVE_INFINITY, order = "fifo" } = options;
  if (order !== "fifo" && order !== "newest-first") {
    throw new TypeError(`Cannot use ${describe(order)} as order: it is "fifo" or "newest-first".`);
  }
  if (maxConcurrent === undefined) {
    throw new TypeError(
      "Cannot queue without maxConcurrent: it says how many may be at work at a time. Pass a number.",
    );
  }
  return {
    maxConcurrent: wholeAtLeast(1, "maxConcurrent", maxConcurrent, "Pass one."),
    maxDepth: wholeAtLeast(0, "maxDepth", maxDepth),
    maxWait: atLeast0("maxWait", maxWait),
    order,
    clock: options.clock ?? new MonotonicClock(),
    warn: checkCallable("warn", options.warn) ?? ((message) => console.warn(message)),
  };
}

/** Checks a priority: any number that has a place among the others. */
export function checkPriority(priority: number): number {
  if (typeof priority !== "number") {
    throw new TypeError(`Cannot use ${describe(priority)} as priority: it is a number. Leave it out for 0.`);
  }
  if (!Number.isNaN(priority)) return priority;
  throw new RangeError("Cannot use NaN as priority: it is neither above nor below another. Leave it out for 0.");
}

/** Checks a signal before anything depends on it: one that cannot be listened to would keep its place for ever. */
export function checkSignal(signal: AbortSignalLike): AbortSignalLike {
  if (typeof signal?.addEventListener === "function" && typeof signal.removeEventListener === "function") return signal;
  throw new TypeError(
    `Cannot use ${describe(signal)} as signal: it is an AbortSignal. Pass the signal of an AbortController, as in { signal: controller.signal }.`,
  );
}
