import type { AbstractBucket } from "@sluice/core";

/** Callers that put one unit for a key again and again, whatever comes back, until they are told to stop. */
export class Load {
  admitted = 0;
  refused = 0;
  readonly errors: unknown[] = [];
  readonly #bucket: AbstractBucket<"async">;
  readonly #callers: Promise<void>[];
  #stopped = false;

  constructor(bucket: AbstractBucket<"async">, key: string, callers = 20) {
    this.#bucket = bucket;
    this.#callers = Array.from({ length: callers }, () => this.#call(key));
  }

  /** Waits until so many more callers have heard yes or no. */
  async answers(count: number): Promise<void> {
    const until = this.admitted + this.refused + count;
    while (this.admitted + this.refused < until) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Waits until somebody was told of an error. */
  async error(): Promise<void> {
    while (this.errors.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  /** Lets every caller end. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#callers);
  }

  async #call(key: string): Promise<void> {
    while (!this.#stopped) {
      try {
        if (await this.#bucket.tryPut(key)) this.admitted++;
        else this.refused++;
      } catch (error) {
        this.errors.push(error);
        // Whoever fails at once must leave room for what brings the store back.
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
  }
}
