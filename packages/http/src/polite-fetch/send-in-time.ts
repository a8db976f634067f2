import { type AbstractClock, whenAborted } from "@sluice/core";
import type { FetchInput } from "./outgoing-request.js";

/** What an attempt is made of. */
export interface Sending {
  readonly fetch: typeof fetch;
  readonly input: FetchInput;
  readonly init: RequestInit | undefined;
  /** The caller's signal. */
  readonly signal: AbortSignal | undefined;
  readonly clock: AbstractClock;
  /** Milliseconds until the attempt is given up; `Infinity` for never. */
  readonly left: number;
  /** Makes the error for when they are over. */
  readonly late: () => Error;
}

/** An answer, and how to let go of the caller's signal when nobody wants its body any more. */
export interface Received {
  readonly response: Response;
  readonly release: () => void;
}

const abandoned = new FinalizationRegistry<() => void>((release) => release());

/**
 * Sends one request, and gives it up when its time is over or the caller's signal is raised.
 *
 * The time is for the head of the answer; the signal goes on to govern the body. It is not
 * `AbortSignal.any` that joins the two: a signal that lives long would keep what was made
 * from it for each call.
 */
export async function sendInTime({ fetch, input, init, signal, clock, left, late }: Sending): Promise<Received> {
  if (left === Number.POSITIVE_INFINITY) return { response: await fetch(input, init), release: () => {} };
  const controller = new AbortController();
  const release = whenAborted(signal, () => controller.abort(signal?.reason));
  const cancelTimer = clock.schedule(left, () => controller.abort(late()));
  try {
    const response = await fetch(input, { ...init, signal: controller.signal });
    // Whether a body is still being read cannot be seen; whether it still can be is known to the runtime.
    if (response.body === null || signal === undefined) release();
    else abandoned.register(response.body, release);
    return { response, release };
  } catch (error) {
    release();
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    cancelTimer();
  }
}
