/**
 * Which keys of a bucket across a wire need not be looked at any more.
 *
 * Whoever comes for a key that is being looked at waits for that, so that callers stay in
 * their order and nothing is carried over twice.
 */
export class SettledKeys {
  #settled = new Set<string>();
  readonly #settling = new Map<string, Promise<void>>();

  /** What to wait for before a key is used; `undefined` for nothing. */
  settle(key: string, carry: () => Promise<void>): Promise<void> | undefined {
    if (this.#settled.has(key)) return undefined;
    const underway = this.#settling.get(key);
    if (underway !== undefined) return underway;
    const settled = this.#settled;
    const settling = carry()
      // Where rates were replaced again meanwhile, this adds to a set that is no longer looked at.
      .then(() => void settled.add(key))
      .finally(() => this.#settling.delete(key));
    this.#settling.set(key, settling);
    return settling;
  }

  /** Looks at all keys anew. */
  clear(): void {
    this.#settled = new Set();
  }

  /** Fulfilled when one key, or none, is being looked at any more. */
  async idle(key?: string): Promise<void> {
    if (key === undefined) await Promise.allSettled(this.#settling.values());
    else await this.#settling.get(key)?.catch(() => {});
  }
}
