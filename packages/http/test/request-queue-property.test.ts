import { LimiterError, ManualClock } from "@sluice/core";
import { type QueueOrder, RequestQueue, type Slot } from "@sluice/http";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const settle = () => new Promise((resolve) => setImmediate(resolve));

interface Settings {
  readonly maxConcurrent: number;
  readonly maxDepth: number;
  readonly maxWait: number;
  readonly order: QueueOrder;
}

type Step =
  | { readonly do: "acquire"; readonly priority: number }
  | { readonly do: "tryAcquire" }
  | { readonly do: "release"; readonly which: number }
  | { readonly do: "abort"; readonly which: number }
  | { readonly do: "advance"; readonly ms: number };

/** The queue as one would write it with a list and nothing else. */
class Model {
  readonly outcomes = new Map<number, string>();
  readonly #settings: Settings;
  #waiting: { id: number; priority: number; since: number }[] = [];
  #working: number[] = [];

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  get working(): readonly number[] {
    return this.#working;
  }

  /** Those who wait, in the order in which they will be served. */
  get waiting(): readonly number[] {
    return this.#waiting.map(({ id }) => id);
  }

  tryAcquire(id: number): boolean {
    if (this.#working.length >= this.#settings.maxConcurrent) return false;
    this.#start(id);
    return true;
  }

  acquire(id: number, priority: number, now: number): void {
    if (this.tryAcquire(id)) return;
    const { maxDepth, order } = this.#settings;
    this.#waiting.push({ id, priority, since: now });
    const age = order === "fifo" ? 1 : -1;
    this.#waiting.sort((a, b) => b.priority - a.priority || age * (a.id - b.id));
    if (this.#waiting.length > maxDepth) this.outcomes.set((this.#waiting.pop() as { id: number }).id, "QUEUE_FULL");
  }

  release(id: number): void {
    this.#working = this.#working.filter((other) => other !== id);
    const next = this.#waiting.shift();
    if (next !== undefined) this.#start(next.id);
  }

  abort(id: number): void {
    this.#waiting = this.#waiting.filter((other) => other.id !== id);
    this.outcomes.set(id, "aborted");
  }

  advance(now: number): void {
    for (const { id, since } of this.#waiting) {
      if (since + this.#settings.maxWait <= now) this.outcomes.set(id, "TIMEOUT");
    }
    this.#waiting = this.#waiting.filter(({ id }) => !this.outcomes.has(id));
  }

  #start(id: number): void {
    this.#working.push(id);
    this.outcomes.set(id, "slot");
  }
}

const settings = fc.record<Settings>({
  maxConcurrent: fc.integer({ min: 1, max: 4 }),
  maxDepth: fc.integer({ min: 1, max: 6 }),
  maxWait: fc.constantFrom(50, 200, Number.POSITIVE_INFINITY),
  order: fc.constantFrom<QueueOrder>("fifo", "newest-first"),
});

const priority = fc.integer({ min: -1, max: 1 });
const which = fc.nat(20);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: priority.map((priority) => ({ do: "acquire", priority }) as const) },
  { weight: 1, arbitrary: fc.constant({ do: "tryAcquire" } as const) },
  { weight: 2, arbitrary: which.map((which) => ({ do: "release", which }) as const) },
  { weight: 1, arbitrary: which.map((which) => ({ do: "abort", which }) as const) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 40 }).map((ms) => ({ do: "advance", ms }) as const) },
);

/** The real queue and the model, side by side. */
class Pair {
  readonly clock = new ManualClock();
  readonly queue: RequestQueue;
  readonly model: Model;
  readonly outcomes = new Map<number, string>();
  readonly slots = new Map<number, Slot>();
  readonly #signals = new Map<number, AbortController>();
  #came = 0;

  constructor(options: Settings) {
    this.queue = new RequestQueue({ ...options, clock: this.clock });
    this.model = new Model(options);
  }

  run(step: Step): void {
    if (step.do === "acquire") this.#acquire(step.priority);
    else if (step.do === "tryAcquire") this.#tryAcquire();
    else if (step.do === "release") this.#release(step.which);
    else if (step.do === "abort") this.#abort(step.which);
    else {
      this.clock.advance(step.ms);
      this.model.advance(this.clock.now());
    }
  }

  #acquire(priority: number): void {
    const id = this.#came++;
    const controller = new AbortController();
    this.#signals.set(id, controller);
    this.queue.acquire({ priority, signal: controller.signal }).then(
      (slot) => this.#got(id, slot),
      (error: unknown) => void this.outcomes.set(id, error instanceof LimiterError ? error.code : "aborted"),
    );
    this.model.acquire(id, priority, this.clock.now());
  }

  #tryAcquire(): void {
    const id = this.#came++;
    const slot = this.queue.tryAcquire();
    expect(slot !== undefined).toBe(this.model.tryAcquire(id));
    if (slot !== undefined) this.#got(id, slot);
  }

  #got(id: number, slot: Slot): void {
    this.outcomes.set(id, "slot");
    this.slots.set(id, slot);
  }

  #release(which: number): void {
    const id = this.model.working[which % this.model.working.length];
    const slot = id === undefined ? undefined : this.slots.get(id);
    if (id === undefined || slot === undefined) return;
    slot.release();
    slot.release();
    this.model.release(id);
  }

  #abort(which: number): void {
    const id = this.model.waiting[which % this.model.waiting.length];
    if (id === undefined) return;
    this.#signals.get(id)?.abort();
    this.model.abort(id);
  }
}

describe("RequestQueue, whatever happens to it", () => {
  test("does what a plain list would, never lets too many work, and loses no slot", async () => {
    await fc.assert(
      fc.asyncProperty(settings, fc.array(step, { maxLength: 60, size: "max" }), async (options, steps) => {
        const pair = new Pair(options);
        const { queue, model } = pair;
        for (const each of steps) {
          pair.run(each);
          await settle();
          expect(queue.active).toBe(model.working.length);
          expect(queue.depth).toBe(model.waiting.length);
          expect(queue.active).toBeLessThanOrEqual(options.maxConcurrent);
          expect(queue.depth).toBeLessThanOrEqual(options.maxDepth);
          expect([...pair.outcomes].sort()).toEqual([...model.outcomes].sort());
        }
        const { admitted, rejected } = queue.metrics;
        const count = (outcome: string) => [...pair.outcomes.values()].filter((other) => other === outcome).length;
        expect(admitted).toBe(count("slot"));
        const { full, timeout, aborted } = rejected;
        expect([full, timeout, aborted]).toEqual(["QUEUE_FULL", "TIMEOUT", "aborted"].map(count));

        const closed = queue.close();
        while (model.working.length > 0) {
          pair.run({ do: "release", which: 0 });
          await settle();
        }
        await closed;
        expect([queue.active, queue.depth, pair.clock.pending]).toEqual([0, 0, 0]);
      }),
      { numRuns: 150 },
    );
  });

  test("retryAfter lies between 1 ms and a minute while no slot is free, and grows while the work stalls", async () => {
    const work = fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(work, fc.integer({ min: 1, max: 100_000 }), async (durations, stall) => {
        const clock = new ManualClock();
        const queue = new RequestQueue({ maxConcurrent: 1, clock });
        const slots = [queue.acquire(), ...durations.map(() => queue.acquire()), queue.acquire()];
        for (const [index, duration] of durations.entries()) {
          clock.advance(duration);
          (await slots[index])?.release();
        }
        const before = queue.retryAfter;
        clock.advance(stall);
        const after = queue.retryAfter;
        for (const estimate of [before, after]) expect(estimate >= 1 && estimate <= 60_000).toBe(true);
        expect(after).toBeGreaterThanOrEqual(before);
      }),
    );
  });

  test("retryAfter is (depth + 1) times the time between slots, where that is steady", () => {
    const steady = fc.record({ every: fc.integer({ min: 1, max: 500 }), workers: fc.integer({ min: 1, max: 8 }) });
    fc.assert(
      fc.property(steady, fc.integer({ min: 0, max: 10 }), ({ every, workers }, behind) => {
        const clock = new ManualClock();
        const queue = new RequestQueue({ maxConcurrent: workers, clock });
        const held = Array.from({ length: workers }, () => queue.tryAcquire());
        for (let i = 0; i < workers + 1 + behind; i++) void queue.acquire();
        for (const slot of held) {
          clock.advance(every);
          slot?.release();
        }
        const expected = (queue.depth + 1) * every;
        expect(queue.retryAfter).toBeCloseTo(Math.min(60_000, Math.max(1, expected)), 6);
      }),
    );
  });
});
