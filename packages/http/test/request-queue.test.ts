import { LimiterError, ManualClock } from "@sluice/core";
import { QueueFullError, RequestQueue, type RequestQueueOptions, type Slot } from "@sluice/http";
import { describe, expect, test } from "vitest";

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A queue on a clock of its own, and a way to stand in it that notes what becomes of whom. */
function open(options: Partial<RequestQueueOptions> = {}) {
  const clock = new ManualClock();
  const queue = new RequestQueue({ maxConcurrent: 1, clock, ...options });
  const log: string[] = [];
  const slots = new Map<string, Slot>();
  const enter = (name: string, how?: Parameters<RequestQueue["acquire"]>[0]) =>
    queue.acquire(how).then(
      (slot) => {
        slots.set(name, slot);
        log.push(name);
      },
      (error: unknown) => void log.push(`${name}: ${error instanceof LimiterError ? error.code : error}`),
    );
  const leave = async (name: string) => {
    slots.get(name)?.release();
    await settle();
  };
  const advance = async (ms: number) => {
    clock.advance(ms);
    await settle();
  };
  return { clock, queue, log, enter, leave, advance };
}

/** A signal that counts who listens to it. */
function countedSignal() {
  const controller = new AbortController();
  let listeners = 0;
  const signal = {
    get aborted() {
      return controller.signal.aborted;
    },
    get reason(): unknown {
      return controller.signal.reason;
    },
    addEventListener(type: "abort", listener: () => void) {
      listeners++;
      controller.signal.addEventListener(type, listener);
    },
    removeEventListener(type: "abort", listener: () => void) {
      listeners--;
      controller.signal.removeEventListener(type, listener);
    },
  };
  return { signal, abort: (reason: unknown) => controller.abort(reason), listeners: () => listeners };
}

describe("RequestQueue", () => {
  test("lets maxConcurrent work, and the others wait for a slot in order", async () => {
    const { queue, log, enter, leave } = open({ maxConcurrent: 2 });
    for (const name of ["a", "b", "c", "d"]) void enter(name);
    await settle();
    expect(log).toEqual(["a", "b"]);
    expect([queue.active, queue.depth]).toEqual([2, 2]);
    await leave("b");
    expect(log).toEqual(["a", "b", "c"]);
    await leave("a");
    await leave("c");
    await leave("d");
    expect(log).toEqual(["a", "b", "c", "d"]);
    expect([queue.active, queue.depth]).toEqual([0, 0]);
  });

  test("a slot is given back once, however often it is released", async () => {
    const { queue, log, enter, leave } = open();
    for (const name of ["a", "b", "c"]) void enter(name);
    await settle();
    await leave("a");
    await leave("a");
    expect(log).toEqual(["a", "b"]);
    expect(queue.active).toBe(1);
  });

  test("a slot ends with its block, and knows how long was waited for it", async () => {
    const { queue, enter, leave, advance } = open();
    void enter("a");
    await settle();
    const waiting = queue.acquire();
    await advance(250);
    await leave("a");
    {
      using slot = await waiting;
      expect(slot.waited).toBe(250);
      expect(slot.released).toBe(false);
    }
    expect(queue.active).toBe(0);
  });

  test("tryAcquire() takes a free slot and never waits", () => {
    const { queue } = open();
    const slot = queue.tryAcquire();
    expect(slot?.waited).toBe(0);
    expect(queue.tryAcquire()).toBeUndefined();
    slot?.release();
    expect(queue.tryAcquire()).toBeDefined();
    expect(queue.metrics.rejected.full).toBe(0);
  });

  test("refuses at once when maxDepth wait", async () => {
    const { queue, log, enter } = open({ maxDepth: 2 });
    for (const name of ["a", "b", "c", "d"]) void enter(name);
    await settle();
    expect(log).toEqual(["a", "d: QUEUE_FULL"]);
    const refusal = await queue.acquire().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(QueueFullError);
    expect(refusal).toBeInstanceOf(LimiterError);
    expect(refusal).toMatchObject({ name: "QueueFullError", depth: 2, maxDepth: 2, retryAfter: 1000 });
    expect((refusal as Error).message).toBe(
      "Cannot wait for a slot: 2 wait already, and maxDepth is 2. Retry in 1s, or raise maxDepth or maxConcurrent.",
    );
  });

  test("turns away whoever has waited for maxWait, not a microsecond sooner, with one timer for all", async () => {
    const { clock, queue, log, enter, leave, advance } = open({ maxWait: 100 });
    void enter("a");
    void enter("b");
    await advance(40);
    void enter("c");
    void enter("d");
    expect(clock.pending).toBe(1);
    await advance(59.999);
    expect(log).toEqual(["a"]);
    await advance(0.001);
    expect(log).toEqual(["a", "b: TIMEOUT"]);
    expect(clock.pending).toBe(1);
    await leave("a");
    await advance(39.999);
    expect(log).toEqual(["a", "b: TIMEOUT", "c"]);
    await advance(0.001);
    expect(log).toEqual(["a", "b: TIMEOUT", "c", "d: TIMEOUT"]);
    expect(clock.pending).toBe(0);
    expect(queue.metrics.rejected).toEqual({ full: 0, timeout: 2, aborted: 0, closed: 0 });
  });

  test("keeps to maxWait whatever the priorities", async () => {
    const { log, enter, advance } = open({ maxWait: 100 });
    void enter("a");
    void enter("low", { priority: -1 });
    await advance(10);
    void enter("high", { priority: 1 });
    await advance(10);
    void enter("mid");
    await advance(80);
    expect(log).toEqual(["a", "low: TIMEOUT"]);
    await advance(10);
    expect(log.at(-1)).toBe("high: TIMEOUT");
    await advance(10);
    expect(log.at(-1)).toBe("mid: TIMEOUT");
  });

  test("does not serve whoever is past its deadline, though its timer is late", async () => {
    const late = new (class extends ManualClock {
      override schedule() {
        return () => {};
      }
    })();
    const { log, enter, leave } = open({ maxWait: 100, clock: late });
    void enter("a");
    void enter("b");
    await settle();
    late.advance(60);
    void enter("c");
    late.advance(40);
    await leave("a");
    expect(log).toEqual(["a", "b: TIMEOUT", "c"]);
  });

  test("maxWait 0 refuses whoever finds no free slot", async () => {
    const { log, enter, queue } = open({ maxWait: 0 });
    void enter("a");
    await enter("b");
    expect(log).toEqual(["a", "b: TIMEOUT"]);
    expect(queue.depth).toBe(0);
  });

  test("a signal that is raised takes its waiter out, and is listened to only while it waits", async () => {
    const { queue, log, enter, leave, advance, clock } = open({ maxDepth: 3, maxWait: 1000 });
    const [quits, served, late] = [countedSignal(), countedSignal(), countedSignal()];
    void enter("a");
    void enter("quits", { signal: quits.signal });
    void enter("served", { signal: served.signal });
    void enter("late", { signal: late.signal });
    await settle();
    expect([quits, served, late].map((each) => each.listeners())).toEqual([1, 1, 1]);
    quits.abort("enough");
    expect(queue.depth).toBe(2);
    await leave("a");
    await advance(1000);
    expect(log).toEqual(["a", "quits: enough", "served", "late: TIMEOUT"]);
    expect([quits, served, late].map((each) => each.listeners())).toEqual([0, 0, 0]);
    expect(clock.pending).toBe(0);
    served.abort("too late to matter");
    expect(queue.active).toBe(1);
    await enter("raised before", { signal: AbortSignal.abort("no") });
    expect(log.at(-1)).toBe("raised before: no");
    expect(queue.metrics.rejected).toEqual({ full: 0, timeout: 1, aborted: 2, closed: 0 });
  });

  test("higher priorities are served first, and equal ones in order", async () => {
    const { log, enter, leave } = open();
    void enter("a");
    void enter("low 1", { priority: -1 });
    void enter("mid 1");
    void enter("high 1", { priority: 5 });
    void enter("mid 2", { priority: 0 });
    void enter("high 2", { priority: 5 });
    await settle();
    for (let next = 0; next < 5; next++) await leave(log.at(-1) as string);
    expect(log).toEqual(["a", "high 1", "high 2", "mid 1", "mid 2", "low 1"]);
  });

  test("a signal that is none is refused before it joins, and no slot is lost to it", async () => {
    const { queue } = open();
    const slot = await queue.acquire();
    for (const signal of [new AbortController(), {}, "abort", null]) {
      const refused = queue.acquire({ signal: signal as unknown as AbortSignal });
      await expect(refused).rejects.toThrow(
        /^Cannot use .* as signal: it is an AbortSignal\. Pass the signal of an AbortController/,
      );
      await expect(refused).rejects.toBeInstanceOf(TypeError);
    }
    expect(queue.depth).toBe(0);
    slot.release();
    expect(queue.active).toBe(0);
    (await queue.acquire()).release();
  });

  test("when full, a higher priority takes the place of the newest of the lowest", async () => {
    const { queue, log, enter } = open({ maxDepth: 3 });
    void enter("a");
    void enter("mid", { priority: 1 });
    void enter("low 1");
    void enter("low 2");
    await enter("low 3");
    void enter("high", { priority: 2 });
    await settle();
    expect(log).toEqual(["a", "low 3: QUEUE_FULL", "low 2: QUEUE_FULL"]);
    await Promise.race([enter("lower", { priority: -1 }), settle()]);
    expect(log.at(-1)).toBe("lower: QUEUE_FULL");
    expect(queue.depth).toBe(3);
    expect(queue.metrics).toMatchObject({ queued: 4, rejected: { full: 3 } });
  });

  test('with "newest-first" the newest is served, and when full the oldest gives way', async () => {
    const { log, enter, leave } = open({ maxDepth: 2, order: "newest-first" });
    for (const name of ["a", "oldest", "older", "newest"]) void enter(name);
    await settle();
    expect(log).toEqual(["a", "oldest: QUEUE_FULL"]);
    await leave("a");
    await leave("newest");
    expect(log).toEqual(["a", "oldest: QUEUE_FULL", "newest", "older"]);
  });

  test('with "newest-first" a lower priority takes nobody\'s place', async () => {
    const { log, enter } = open({ maxDepth: 1, order: "newest-first" });
    void enter("a");
    void enter("b");
    await enter("low", { priority: -1 });
    expect(log).toEqual(["a", "low: QUEUE_FULL"]);
  });

  test("retryAfter is the drain rate's: (depth + 1) slots at the pace of late", async () => {
    const { queue, enter, leave, advance, log } = open({ maxDepth: 4 });
    expect(queue.retryAfter).toBe(0);
    for (const name of ["a", "b", "c", "d", "e"]) void enter(name);
    await settle();
    expect(queue.retryAfter).toBe(1000);
    for (let done = 0; done < 3; done++) {
      await advance(200);
      await leave(log.at(-1) as string);
    }
    expect(queue.depth).toBe(1);
    // One slot in 200 ms; the newest count a little more than those of 10 s ago.
    expect(queue.retryAfter).toBeCloseTo(400, -1);
    await advance(100_000);
    expect(queue.retryAfter).toBe(60_000);
  });

  test("time in which nobody waits says nothing of the drain rate", async () => {
    const { queue, enter, leave, advance, log } = open();
    for (const name of ["a", "b"]) void enter(name);
    await advance(100);
    await leave("a");
    await advance(1_000_000);
    void enter("c");
    expect(queue.retryAfter).toBeCloseTo(200, -1);
    expect(log).toEqual(["a", "b"]);
  });

  test("counts waits, refusals and peaks", async () => {
    const { queue, enter, leave, advance } = open({ maxDepth: 2 });
    for (const name of ["a", "b", "c", "d"]) void enter(name);
    await advance(100);
    await leave("a");
    await advance(200);
    await leave("b");
    await leave("c");
    expect(queue.metrics).toEqual({
      admitted: 3,
      queued: 2,
      rejected: { full: 1, timeout: 0, aborted: 0, closed: 0 },
      averageWait: 200,
      longestWait: 300,
      rejectionRate: 0.25,
      crowdedRate: 0.25,
      peakDepth: 2,
      peakActive: 1,
    });
    queue.resetMetrics();
    expect(queue.metrics).toMatchObject({ admitted: 0, queued: 0, longestWait: 0, rejectionRate: 0, peakDepth: 0 });
  });

  test("close() lets those who wait finish, refuses all others, and resolves when nobody is at work", async () => {
    const { queue, log, enter, leave } = open();
    void enter("a");
    void enter("b");
    await settle();
    let closed = false;
    const closing = queue.close().then(() => {
      closed = true;
    });
    expect(queue.closed).toBe(true);
    await enter("c");
    expect(queue.tryAcquire()).toBeUndefined();
    await leave("a");
    expect(log).toEqual(["a", "c: CLOSED", "b"]);
    expect(closed).toBe(false);
    await leave("b");
    await closing;
    expect(queue.metrics.rejected.closed).toBe(1);
    await enter("d");
    expect(log.at(-1)).toBe("d: CLOSED");
    await queue.close();
  });

  test("close() turns away those who wait where that is asked, be it later", async () => {
    const { clock, queue, log, enter, leave } = open({ maxWait: 1000 });
    void enter("a");
    void enter("b");
    await settle();
    const closing = queue.close();
    const again = queue.close({ waiting: "reject" });
    await settle();
    expect(log).toEqual(["a", "b: CLOSED"]);
    expect(clock.pending).toBe(0);
    await leave("a");
    await Promise.all([closing, again]);
  });

  test("a queue that is idle closes at once, at the end of its block as well", async () => {
    const { queue } = open();
    await queue.close();
    await using another = open().queue;
    expect(another.active).toBe(0);
  });

  test("maxDepth 0 is any number, and is told of when the queue is made", async () => {
    const warnings: string[] = [];
    const { queue, enter } = open({ maxDepth: 0, warn: (message) => warnings.push(message) });
    expect(warnings).toEqual([expect.stringContaining("maxDepth is 0")]);
    for (let i = 0; i < 5001; i++) void enter(`${i}`);
    await settle();
    expect(queue.depth).toBe(5000);
    open({ maxDepth: 1, warn: (message) => warnings.push(message) });
    expect(warnings).toHaveLength(1);
  });

  test("says what is wrong with its options", async () => {
    expect(() => open({ maxConcurrent: 0 })).toThrow(
      new RangeError("Cannot use 0 as maxConcurrent: it is a whole number, 1 or more. Pass one."),
    );
    expect(() => new RequestQueue({} as RequestQueueOptions)).toThrow(TypeError);
    expect(() => new RequestQueue(64 as unknown as RequestQueueOptions)).toThrow(TypeError);
    expect(() => open({ maxDepth: -1 })).toThrow(RangeError);
    expect(() => open({ maxDepth: 1.5 })).toThrow(RangeError);
    expect(() => open({ maxWait: Number.NaN })).toThrow(RangeError);
    expect(() => open({ maxWait: "1s" as unknown as number })).toThrow(TypeError);
    expect(() => open({ order: "lifo" as unknown as "fifo" })).toThrow('"fifo" or "newest-first"');
    const { queue } = open();
    await expect(queue.acquire({ priority: Number.NaN })).rejects.toThrow(RangeError);
    await expect(queue.acquire({ priority: "1" as unknown as number })).rejects.toThrow(TypeError);
    expect(queue.active).toBe(0);
  });
});
