import { ManualClock, StoreError, toAsync, tokenBucket } from "@sluice/core";
import {
  type Entered,
  Gate,
  type GateOptions,
  type HttpRequest,
  type Passage,
  RateLimiter,
  RequestQueue,
} from "@sluice/http";
import { InMemoryBucket } from "@sluice/memory";
import { describe, expect, test } from "vitest";

const settled = () => new Promise((resolve) => setImmediate(resolve));
const ada: HttpRequest = { headers: {}, socket: { remoteAddress: "203.0.113.7" } };
const bob: HttpRequest = { headers: {}, socket: { remoteAddress: "203.0.113.8" } };

/** A passage that was granted at once. */
function inside(passage: Passage | Promise<Passage>): Entered {
  if (passage instanceof Promise || !passage.allowed) throw new Error("The request was not let in at once.");
  return passage;
}

/** A gate over a limiter that answers by promises. */
function asyncGate(options: GateOptions = {}, rates = "1/s burst 2") {
  const bucket = new InMemoryBucket(rates, { algorithm: tokenBucket, clock: new ManualClock() });
  return new Gate({ ...options, rateLimit: new RateLimiter({ limiter: toAsync(bucket) }) });
}

describe("Gate", () => {
  test("lets everybody in when nothing is enabled", async () => {
    for (const options of [{}, { rateLimit: { burst: 1 } }, { queue: { enabled: false, maxConcurrent: 1 } }]) {
      const gate = new Gate(options);
      expect(gate.rateLimit).toBeUndefined();
      expect(gate.queue).toBeUndefined();
      const passages = [gate.enter(ada), gate.enter(ada)].map(inside);
      expect(passages.map(({ fields }) => fields)).toEqual([[], []]);
      expect(gate.metrics).toMatchObject({ active: 2, admitted: 2 });
      for (const passage of passages) passage.leave();
      await gate.close();
    }
  });

  test("limits a client by { enabled: true, requestsPerSecond, burst }, without a promise", async () => {
    const gate = new Gate({
      rateLimit: { enabled: true, requestsPerSecond: 2, burst: 3, clock: new ManualClock() },
    });
    for (const remaining of [2, 1, 0]) {
      const { fields, leave: _ } = inside(gate.enter(ada));
      expect(fields[1]).toEqual(["RateLimit", `"default";r=${remaining};t=${Math.ceil((3 - remaining) / 2)}`]);
    }
    const refused = gate.enter(ada);
    expect(refused).toMatchObject({ allowed: false, status: 429, body: { type: "application/problem+json" } });
    expect((await refused).fields).toContainEqual(["Retry-After", "1"]);
    inside(gate.enter(bob));
    expect(gate.metrics).toMatchObject({ active: 4, admitted: 4, limited: 1, overloaded: 0 });
    expect(gate.metrics.rateLimit).toMatchObject({ tracked: 2 });
  });

  test("the default limit is 100 requests a second and 200 at once", () => {
    const gate = new Gate({ rateLimit: { enabled: true } });
    expect(inside(gate.enter(ada)).fields[0]).toEqual(["RateLimit-Policy", '"default";q=200;w=2']);
  });

  test("queues whoever finds no slot, and refuses whoever finds no room with 503", async () => {
    const gate = new Gate({ queue: { enabled: true, maxConcurrent: 1, maxDepth: 1 }, body: "text" });
    const first = inside(gate.enter(ada));
    const second = gate.enter(ada);
    const third = await gate.enter(ada);
    expect(third).toMatchObject({ allowed: false, status: 503, fields: [["Retry-After", "1"]] });
    expect(third).toMatchObject({ body: { type: "text/plain; charset=utf-8" } });
    expect(gate.metrics).toMatchObject({ active: 1, waiting: 1, overloaded: 1 });
    first.leave();
    const passage = await second;
    expect(passage.allowed).toBe(true);
    expect(gate.metrics).toMatchObject({ active: 1, waiting: 0, admitted: 2, queue: { queued: 1 } });
  });

  test("leaving twice gives back one slot", async () => {
    const queue = new RequestQueue({ maxConcurrent: 2 });
    const gate = new Gate({ queue });
    const [first] = [inside(gate.enter(ada)), inside(gate.enter(ada))];
    first.leave();
    first.leave();
    expect(queue.active).toBe(1);
    expect(gate.metrics.active).toBe(1);
  });

  test("asks the rate limiter first, and its refusals take no slot", async () => {
    const gate = new Gate({
      rateLimit: { enabled: true, requestsPerSecond: 1, burst: 1, clock: new ManualClock() },
      queue: { enabled: true, maxConcurrent: 1, maxDepth: 1 },
    });
    inside(gate.enter(ada));
    expect(gate.enter(ada)).toMatchObject({ status: 429 });
    expect(gate.metrics).toMatchObject({ waiting: 0, queue: { queued: 0 } });
  });

  test("a request that the queue refuses stays counted, and its fields say so", async () => {
    const gate = new Gate({
      rateLimit: { enabled: true, requestsPerSecond: 1, burst: 3, clock: new ManualClock() },
      queue: { enabled: true, maxConcurrent: 1, maxWait: 0 },
    });
    inside(gate.enter(ada));
    const refused = await gate.enter(ada);
    expect(refused).toMatchObject({ allowed: false, status: 503 });
    expect(refused.fields.map(([name]) => name)).toEqual(["RateLimit-Policy", "RateLimit", "Retry-After"]);
    expect(refused.fields[1]?.[1]).toContain("r=1;");
    expect((await gate.enter(ada)).fields[1]?.[1]).toContain("r=0;");
    expect(await gate.enter(ada)).toMatchObject({ status: 429 });
  });

  test("a client that hangs up in the queue leaves it, with the signal's reason", async () => {
    const gate = new Gate({ queue: { enabled: true, maxConcurrent: 1, maxDepth: 5 } });
    const first = inside(gate.enter(ada));
    const controller = new AbortController();
    const waiting = gate.enter(ada, controller.signal);
    const reason = new Error("hung up");
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(() => gate.enter(ada, controller.signal)).toThrow(reason);
    expect(gate.metrics).toMatchObject({ waiting: 0, abandoned: 2, overloaded: 0 });
    first.leave();
    expect(gate.queue?.active).toBe(0);
  });

  test("serves the more urgent first, and asks how urgent only who must wait", async () => {
    const asked: string[] = [];
    const priority = ({ url = "" }: HttpRequest) => {
      asked.push(url);
      return url === "/health" ? 1 : 0;
    };
    const gate = new Gate({ queue: { enabled: true, maxConcurrent: 1 }, priority });
    const served: string[] = [];
    const first = inside(gate.enter({ ...ada, url: "/first" }));
    for (const url of ["/slow", "/health"]) {
      void Promise.resolve(gate.enter({ ...ada, url })).then((passage) => {
        served.push(url);
        inside(passage).leave();
      });
    }
    first.leave();
    await settled();
    expect(served).toEqual(["/health", "/slow"]);
    expect(asked).toEqual(["/slow", "/health"]);
  });

  test("asks a limiter that answers by promises", async () => {
    const gate = asyncGate({ queue: { enabled: true, maxConcurrent: 1, maxWait: 0 } });
    const passages = [];
    for (let request = 0; request < 3; request++) passages.push(await gate.enter(ada));
    expect(passages.map((passage) => (passage.allowed ? 200 : passage.status))).toEqual([200, 503, 429]);
  });

  test("a client that hangs up while the store is asked takes no slot", async () => {
    for (const queue of [{ enabled: true, maxConcurrent: 1 }, undefined]) {
      const gate = asyncGate(queue && { queue });
      const controller = new AbortController();
      const entering = gate.enter(ada, controller.signal);
      controller.abort();
      await expect(entering).rejects.toBe(controller.signal.reason);
      expect(gate.metrics).toMatchObject({ active: 0, abandoned: 1 });
    }
  });

  test("what the rate limiter throws is thrown on, and nothing is held", async () => {
    const failure = new StoreError("The store is away.");
    const fail = () => {
      throw failure;
    };
    const gate = new Gate({
      rateLimit: { enabled: true, key: fail },
      queue: { enabled: true, maxConcurrent: 1 },
    });
    expect(() => gate.enter(ada)).toThrow(failure);
    expect(gate.metrics).toMatchObject({ active: 0, admitted: 0, overloaded: 0 });
    const withPriority = new Gate({ queue: { enabled: true, maxConcurrent: 1 }, priority: fail });
    const first = inside(withPriority.enter(ada));
    await expect(withPriority.enter(ada)).rejects.toBe(failure);
    first.leave();
    expect(withPriority.queue?.active).toBe(0);
  });

  test("counts the 503 of a store that is away as overload", async () => {
    const gate = new Gate({
      rateLimit: {
        enabled: true,
        onStoreError: "closed",
        key: () => {
          throw new StoreError("The store is away.");
        },
      },
    });
    expect(gate.enter(ada)).toMatchObject({ status: 503 });
    expect(gate.metrics).toMatchObject({ limited: 0, overloaded: 1 });
  });
});

describe("Gate.close()", () => {
  test("turns newcomers away, and resolves when the last of those inside has left", async () => {
    for (const options of [{}, { queue: { enabled: true, maxConcurrent: 1 } }]) {
      const gate = new Gate(options);
      const passage = inside(gate.enter(ada));
      let isClosed = false;
      const closing = gate.close().then(() => {
        isClosed = true;
      });
      expect(gate.closed).toBe(true);
      expect(gate.enter(ada)).toMatchObject({ status: 503, fields: [["Retry-After", "1"]] });
      await settled();
      expect(isClosed).toBe(false);
      passage.leave();
      await closing;
    }
  });

  test("serves those who wait, and waits for them", async () => {
    const gate = new Gate({ queue: { enabled: true, maxConcurrent: 1 } });
    const log: string[] = [];
    const first = inside(gate.enter(ada));
    const second = gate.enter(ada);
    const closing = gate.close().then(() => log.push("closed"));
    first.leave();
    const passage = await second;
    await settled();
    log.push("served");
    inside(passage).leave();
    await closing;
    expect(log).toEqual(["served", "closed"]);
    expect(gate.metrics).toMatchObject({ active: 0, admitted: 2 });
  });

  test("turns those who wait away when told to, also later", async () => {
    const gate = new Gate({ queue: { enabled: true, maxConcurrent: 1 } });
    const first = inside(gate.enter(ada));
    const second = gate.enter(ada);
    const closing = gate.close();
    void gate.close({ waiting: "reject" });
    expect(await second).toMatchObject({ status: 503 });
    first.leave();
    await closing;
  });

  test("lets nobody in about whom the limiter still thinks, and closes the limiter after them", async () => {
    const gate = asyncGate();
    const entering = gate.enter(ada);
    const closing = gate.close();
    expect(await entering).toMatchObject({ allowed: false, status: 503 });
    await closing;
    await expect(gate.rateLimit?.check(ada)).rejects.toMatchObject({ code: "CLOSED" });
  });

  test("is what `await using` does", async () => {
    const gate = new Gate();
    {
      await using scoped = gate;
      inside(scoped.enter(ada)).leave();
    }
    expect(gate.closed).toBe(true);
  });
});

describe("options of a Gate", () => {
  test("say what is wrong with them", () => {
    const wrong: [unknown, string][] = [
      [{ rateLimit: true }, "Cannot use true as rateLimit: it is an object"],
      [{ queue: { enabled: "yes", maxConcurrent: 1 } }, 'Cannot use "yes" as enabled of queue: it is true or false'],
      [{ queue: { enabled: true } }, "Cannot queue without maxConcurrent"],
      [{ rateLimit: { enabled: true, requestsPerSecond: 0 } }, "Cannot limit to 0 requests a second"],
      [{ body: "html" }, 'Cannot write bodies as "html"'],
      [{ priority: 1 }, "Cannot use 1 as priority: it is a function of the request"],
    ];
    for (const [options, message] of wrong) expect(() => new Gate(options as GateOptions)).toThrow(message);
  });
});
