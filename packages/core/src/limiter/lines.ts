import { answersAtOnce } from "../mode.js";
import { Line, type LineSettings } from "./line.js";
import type { Waiter } from "./waiter.js";

/** The lines of one bucket: one for each key that somebody waits for, and none beside. */
export class Lines {
  readonly #lines = new Map<string, Line>();
  readonly #settings: LineSettings;

  /** @param onEmpty Called when nobody waits for any key any more. */
  constructor(settings: Omit<LineSettings, "onEmpty">, onEmpty: () => void) {
    this.#settings = {
      ...settings,
      onEmpty: (key) => {
        this.#lines.delete(key);
        if (this.#lines.size === 0) onEmpty();
      },
    };
  }

  /** Keys that somebody waits for. */
  get size(): number {
    return this.#lines.size;
  }

  /** How many wait, over all keys. */
  get waiting(): number {
    return [...this.#lines.values()].reduce((sum, line) => sum + line.size, 0);
  }

  /** Lets a waiter join the line for `key`. */
  join(key: string, waiter: Waiter): void {
    let line = this.#lines.get(key);
    if (line === undefined) {
      if (this.#admitsAtOnce(key, waiter)) return;
      line = new Line(key, this.#settings);
      this.#lines.set(key, line);
    }
    line.join(waiter);
  }

  /** Whether nobody needs to stand in line: where a bucket answers at once, most need not. */
  #admitsAtOnce(key: string, { weight, resolve, reject }: Waiter): boolean {
    const { bucket } = this.#settings;
    if (!answersAtOnce(bucket)) return false;
    try {
      const decision = bucket.put({ key, weight });
      if (decision.allowed) resolve(decision);
      return decision.allowed;
    } catch (error) {
      reject(error);
      return true;
    }
  }

  /** Lets the line for `key`, or every line, ask again: units came back. */
  refresh(key?: string): void {
    if (key !== undefined) this.#lines.get(key)?.refresh();
    else for (const line of [...this.#lines.values()]) line.refresh();
  }

  /** Lets all ask again, and be judged anew: the rates were replaced. */
  rejudge(): void {
    for (const line of [...this.#lines.values()]) line.rejudge();
  }

  /** Turns everybody away; gives back promises where the store is still being asked for somebody. */
  close(error: unknown): Promise<void>[] {
    return [...this.#lines.values()].map((line) => line.close(error)).filter((idle) => idle !== undefined);
  }
}
