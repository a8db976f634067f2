import type { AbortSignalLike } from "./limiter/waiter.js";

/** Who wants to know of one signal. */
interface Audience {
  readonly callbacks: Set<() => void>;
  readonly listener: () => void;
}

const audiences = new WeakMap<AbortSignalLike, Audience>();

/**
 * Calls `callback` when the signal is raised, until what it gives back is called.
 *
 * However many wait for one signal, it has one listener: programs that hand one signal to
 * all their calls are not warned of a leak that is none.
 */
export function whenAborted(signal: AbortSignalLike | undefined, callback: () => void): () => void {
  if (signal === undefined) return () => {};
  const audience = audiences.get(signal) ?? gather(signal);
  audience.callbacks.add(callback);
  return () => {
    audience.callbacks.delete(callback);
    if (audience.callbacks.size > 0 || audiences.get(signal) !== audience) return;
    audiences.delete(signal);
    signal.removeEventListener("abort", audience.listener);
  };
}

function gather(signal: AbortSignalLike): Audience {
  const callbacks = new Set<() => void>();
  const audience = { callbacks, listener: () => [...callbacks].forEach((callback) => void callback()) };
  audiences.set(signal, audience);
  signal.addEventListener("abort", audience.listener);
  return audience;
}
