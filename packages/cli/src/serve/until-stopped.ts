import { constants } from "node:os";
import type { ReverseProxy } from "./reverse-proxy.js";

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** How the end is told, and bounded. */
export interface StopOptions {
  /** Milliseconds that the end may take. */
  readonly drainTimeout: number;
  /** Writes a line. */
  readonly tell: (line: string) => void;
}

/**
 * Waits for SIGTERM or SIGINT, then for all that runs. A second signal ends it at once.
 *
 * @returns The exit code: 0, or 1 when the time was over, or as a shell tells the second signal.
 */
export async function untilStopped(proxy: ReverseProxy, { drainTimeout, tell }: StopOptions): Promise<number> {
  const signals = new Signals();
  try {
    const first = await signals.next();
    const drained = proxy.drain();
    tell(
      `${first}: no new connections; what runs may take up to ${drainTimeout / 1000} s. A second signal ends it now.`,
    );
    const time = new Timeout(drainTimeout);
    const reason = await Promise.race([drained.then(() => "drained" as const), time.over, signals.next()]);
    time.cancel();
    if (reason === "drained") return 0;
    const count = await proxy.connections();
    await proxy.cut();
    await drained;
    tell(`${reason === "late" ? "The time is over" : reason}: broke off what still ran, on ${count} connections.`);
    return reason === "late" ? 1 : 128 + constants.signals[reason];
  } finally {
    signals.stop();
  }
}

class Timeout {
  readonly over: Promise<"late">;
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number) {
    this.over = new Promise((resolve) => {
      this.#timer = setTimeout(() => resolve("late"), ms);
    });
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }
}

/** The signals that end a process, one after another. */
class Signals {
  #resolve: (signal: (typeof SIGNALS)[number]) => void = () => {};
  readonly #listeners = SIGNALS.map((signal) => [signal, () => this.#resolve(signal)] as const);

  constructor() {
    for (const [signal, listener] of this.#listeners) process.on(signal, listener);
  }

  next(): Promise<(typeof SIGNALS)[number]> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  stop(): void {
    for (const [signal, listener] of this.#listeners) process.off(signal, listener);
  }
}
