import { type AbstractClock, toMicroseconds, toMilliseconds } from "@sluice/core";
import { parseRateLimit } from "../answer/parse-rate-limit.js";

/** From this many keys on, those whose pause is over are looked for and dropped. */
const CROWDED = 1000;

/** Until when servers asked for quiet, by key. */
export class Pauses {
  readonly #clock: AbstractClock;
  readonly #until = new Map<string, number>();
  #sweepAt = CROWDED;

  constructor(clock: AbstractClock) {
    this.#clock = clock;
  }

  /** Milliseconds until the key may be asked again; 0 for at once. */
  left(key: string): number {
    const until = this.#until.get(key);
    if (until === undefined) return 0;
    const left = until - this.#clock.elapsed();
    if (left > 0) return left;
    this.#until.delete(key);
    return 0;
  }

  /** Remembers what an answer asks for; a shorter pause never ends a longer one. */
  heed(key: string, response: Response): void {
    const asked = quietAsked(response, this.#clock);
    if (asked <= 0) return;
    // In whole microseconds, so that the instant at which it ends is not missed by a rounding.
    const until = toMilliseconds(toMicroseconds(this.#clock.elapsed() + asked));
    this.#until.set(key, Math.max(until, this.#until.get(key) ?? 0));
    if (this.#until.size >= this.#sweepAt) this.#sweep();
  }

  #sweep(): void {
    const now = this.#clock.elapsed();
    for (const [key, until] of this.#until) if (until <= now) this.#until.delete(key);
    this.#sweepAt = Math.max(CROWDED, 2 * this.#until.size);
  }
}

/**
 * Milliseconds for which an answer asks not to be asked again: its Retry-After, else the
 * longest time until a limit of which nothing is left is reset.
 *
 * Where nothing is left and yet nothing was refused, that lasts no longer than one unit
 * takes at the pace that is told: a token bucket has it by then, while all of them may take a
 * day. Where it has none, the refusal that follows tells how long to wait.
 */
function quietAsked(response: Response, clock: AbstractClock): number {
  // Dates are the server's, so they are read against the server's own clock where it tells it.
  const told = response.headers.get("date");
  const date = told?.endsWith(" GMT") ? Date.parse(told) : Number.NaN;
  const { retryAfter, limits } = parseRateLimit(response.headers, Number.isNaN(date) ? clock.now() : date);
  // In an answer that is no error it is a hint when to look again, and not a wish for quiet.
  if (retryAfter !== undefined && response.status >= 400) return retryAfter;
  const spent = limits.filter(({ remaining }) => remaining === 0);
  const quiet = spent.map(({ resetAfter = 0, window = Number.POSITIVE_INFINITY, limit = 0 }) =>
    response.status < 400 && limit > 0 ? Math.min(resetAfter, window / limit) : resetAfter,
  );
  return Math.max(0, ...quiet);
}
