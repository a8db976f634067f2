import { setTimeout as sleep } from "node:timers/promises";
import { getRequestListener } from "@hono/node-server";
import { ManualClock, StoreError } from "@sluice/core";
import { byHeader, Gate, RateLimiter } from "@sluice/http";
import { type FetchRequest, gate, type Handler, rateLimit } from "@sluice/http/fetch";
import { InMemoryBucket } from "@sluice/memory";
import { describe, expect, expectTypeOf, test, vi } from "vitest";
import { limitsIn } from "./support/ask.js";
import { RawClient, storm, until } from "./support/clients.js";
import { listen } from "./support/listen.js";

const request = (init?: RequestInit) => new Request("https://example.org/", init);
const address = () => "203.0.113.7";
const one = () => new Gate<FetchRequest>({ queue: { enabled: true, maxConcurrent: 1, maxDepth: 1 } });

/** A body that gives its chunks, and then ends, or fails. */
function body(chunks: string[], failure?: Error): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      const chunk = chunks.shift();
      if (chunk !== undefined) controller.enqueue(new TextEncoder().encode(chunk));
      else if (failure === undefined) controller.close();
      else controller.error(failure);
    },
  });
}

describe("rateLimit() for fetch handlers", () => {
  test("tells what is left, and refuses beyond it without asking the handler", async () => {
    const handler = vi.fn(() => new Response("hello"));
    const limited = rateLimit({ rate: 1, burst: 1, clock: new ManualClock() }, handler, { address });
    expect(limitsIn(await limited(request()))).toEqual(['"default";q=1;w=1', '"default";r=0;t=1', null]);
    const refused = await limited(request());
    expect(refused.status).toBe(429);
    expect(limitsIn(refused)).toEqual(['"default";q=1;w=1', '"default";r=0;t=1', "1"]);
    expect(refused.headers.get("content-type")).toBe("application/problem+json");
    expect(await refused.json()).toMatchObject({ status: 429, "violated-policies": ["default"] });
    expect(handler).toHaveBeenCalledTimes(1);
  });

  test("hands on what else the runtime passes, and finds the address and the key in it", async () => {
    interface Info {
      readonly remoteAddr: { readonly hostname: string };
    }
    const hello: Handler<[Info]> = (_request, info) => new Response(`hello ${info.remoteAddr.hostname}`);
    const limited = rateLimit({ rate: 1, burst: 1 }, hello, { address: (_, info) => info.remoteAddr.hostname });
    expectTypeOf(limited).parameters.toEqualTypeOf<[Request, Info]>();
    const from = (hostname: string) => limited(request(), { remoteAddr: { hostname } });
    expect(await (await from("203.0.113.7")).text()).toBe("hello 203.0.113.7");
    expect((await from("::ffff:203.0.113.7")).status).toBe(429);
    expect((await from("203.0.113.8")).status).toBe(200);

    const key = ({ args: [info] }: FetchRequest<[Info]>) => info.remoteAddr.hostname;
    const keyed = rateLimit({ rate: 1, burst: 1, key }, hello);
    expect((await keyed(request(), { remoteAddr: { hostname: "ada" } })).status).toBe(200);
  });

  test("looks past trusted proxies, as elsewhere", async () => {
    const limited = rateLimit({ rate: 1, burst: 1, trustedHosts: ["10.0.0.0/8"] }, () => new Response("hello"), {
      address: () => "10.0.0.1",
    });
    const from = (client: string) => limited(request({ headers: { "x-forwarded-for": `1.1.1.1, ${client}` } }));
    expect((await from("203.0.113.7")).status).toBe(200);
    expect((await from("203.0.113.7")).status).toBe(429);
    expect((await from("203.0.113.8")).status).toBe(200);
  });

  test("does not take all clients for one where it knows no address", async () => {
    const limited = rateLimit({ rate: 1 }, () => new Response("hello"));
    await expect(limited(request())).rejects.toThrow(/a Request does not say where it came from/);
    const keyed = rateLimit({ rate: 1, burst: 1, key: byHeader("x-api-key") }, () => new Response("hello"));
    expect((await keyed(request({ headers: { "x-api-key": "ada" } }))).status).toBe(200);
  });

  test("tells on responses whose fields are immutable", async () => {
    const limited = rateLimit({}, () => Response.redirect("https://example.org/there", 303), { address });
    const response = await limited(request());
    expect(response.status).toBe(303);
    expect(response.headers.get("location")).toBe("https://example.org/there");
    expect(limitsIn(response)[1]).toBe('"default";r=199;t=1');
  });

  test("rejects with what is wrong with a field, wherever it is set", async () => {
    const fields = () => [["X-Limit", "one\ntwo"]] as const;
    const limited = rateLimit({ fields }, () => new Response("hello"), { address });
    await expect(limited(request())).rejects.toThrow(TypeError);
    const redirected = rateLimit({ fields }, () => Response.redirect("https://example.org/", 303), { address });
    await expect(redirected(request())).rejects.toThrow(TypeError);
  });

  test("rejects with the error of a store, and of a handler", async () => {
    class Broken extends InMemoryBucket {
      protected override _apply(): never {
        throw new StoreError("Cannot put: the disk is full.");
      }
    }
    const limiter = new RateLimiter<"sync", FetchRequest>({ limiter: new Broken("1/s") });
    await expect(rateLimit(limiter, () => new Response(), { address })(request())).rejects.toThrow(StoreError);
    const failing = rateLimit({}, () => Promise.reject(new Error("mine")), { address });
    await expect(failing(request())).rejects.toThrow("mine");
  });
});

describe("gate() for fetch handlers gives the slot back", () => {
  test.each<[string, () => Response, (response: Response) => unknown]>([
    ["when the body was read to its end", () => new Response(body(["a", "b"])), (response) => response.text()],
    ["when the body is cancelled", () => new Response(body(["a", "b"])), (response) => response.body?.cancel()],
    [
      "when the body fails",
      () => new Response(body(["a"], new Error("broken"))),
      (response) => expect(response.text()).rejects.toThrow("broken"),
    ],
  ])("%s, and not before", async (_name, respond, end) => {
    const entrance = one();
    const response = await gate(entrance, respond)(request());
    expect(entrance.metrics.active).toBe(1);
    await end(response);
    expect(entrance.metrics.active).toBe(0);
  });

  test("at once where there is no body to read", async () => {
    const entrance = one();
    await gate(entrance, () => new Response(null, { status: 204 }))(request());
    expect(entrance.metrics.active).toBe(0);
    await gate(entrance, () => new Response("hello"))(request({ method: "HEAD" }));
    expect(entrance.metrics.active).toBe(0);
  });

  test("when the handler throws or rejects", async () => {
    const entrance = one();
    const thrower = gate(entrance, () => {
      throw new Error("mine");
    });
    await expect(thrower(request())).rejects.toThrow("mine");
    await expect(gate(entrance, () => Promise.reject(new Error("late")))(request())).rejects.toThrow("late");
    expect(entrance.metrics).toMatchObject({ active: 0, admitted: 2 });
  });

  test("when the client hangs up, while the body is sent or before", async () => {
    const entrance = one();
    const client = new AbortController();
    await gate(entrance, () => new Response(body(["a"])))(request({ signal: client.signal }));
    expect(entrance.metrics.active).toBe(1);
    client.abort();
    expect(entrance.metrics.active).toBe(0);
  });

  test("to the next who waits; who hangs up in the queue is let go without a word", async () => {
    const entrance = one();
    const guarded = gate(entrance, () => new Response("hello"));
    const first = await guarded(request());
    const client = new AbortController();
    const waiting = guarded(request({ signal: client.signal }));
    expect((await guarded(request())).status).toBe(503);
    client.abort();
    expect((await waiting).status).toBe(499);
    const next = guarded(request());
    expect(entrance.metrics).toMatchObject({ active: 1, waiting: 1, abandoned: 1, overloaded: 1 });
    await first.text();
    expect(await (await next).text()).toBe("hello");
    expect(entrance.metrics).toMatchObject({ active: 0, waiting: 0 });
  });

  test("and reads no further ahead than it is asked to", async () => {
    const pull = vi.fn((controller: ReadableStreamDefaultController) => controller.enqueue(new Uint8Array(1)));
    const source = new ReadableStream({ pull }, { highWaterMark: 0 });
    const response = await gate(one(), () => new Response(source))(request());
    expect(pull).not.toHaveBeenCalled();
    await response.body?.getReader().read();
    expect(pull).toHaveBeenCalledTimes(1);
  });
});

describe("gate() for fetch handlers, twice on one way", () => {
  test("counts a request once, and does not let it wait for itself", async () => {
    const entrance = one();
    const twice = gate(
      entrance,
      gate(entrance, () => new Response(body(["hello"]))),
    );
    const asked = request();
    for (const admitted of [1, 2]) {
      const response = await twice(asked);
      expect(entrance.metrics).toMatchObject({ active: 1, waiting: 0, admitted });
      expect(await response.text()).toBe("hello");
      // When it is over, the same Request is another request.
      expect(entrance.metrics.active).toBe(0);
    }
  });

  test("does not let a request that waits in by its second call", async () => {
    const entrance = one();
    const guarded = gate(entrance, () => new Response("hello"));
    const first = await guarded(request());
    const asked = request();
    const waiting = guarded(asked);
    expect((await guarded(asked)).status).toBe(503);
    await first.text();
    expect(await (await waiting).text()).toBe("hello");
  });
});

describe("gate() for fetch handlers over real sockets", () => {
  /** Serves a handler of the fetch standard by Node. */
  function serve(handler: (request: Request) => Promise<Response>) {
    const answer = getRequestListener(handler, { overrideGlobalObjects: false });
    return listen((incoming, outgoing) => void answer(incoming, outgoing));
  }

  test("answers each request of a storm with 200 or 503, and leaks no slot", async () => {
    const entrance = new Gate<FetchRequest>({ queue: { enabled: true, maxConcurrent: 50, maxDepth: 100 } });
    let [atWork, most] = [0, 0];
    const work = async () => {
      most = Math.max(most, ++atWork);
      // The first ones take until the queue is full, however slowly the others come.
      do await sleep(5);
      while (entrance.metrics.overloaded === 0);
      atWork--;
      return new Response("hello");
    };
    await using server = await serve(gate(entrance, work));
    const { statuses, errors } = await storm(server.url, 2000, 500);
    const { 200: served = 0, 503: refused = 0 } = statuses;
    expect(errors).toBe(0);
    expect(served + refused).toBe(2000);
    expect(entrance.metrics).toMatchObject({ admitted: served, overloaded: refused, abandoned: 0 });
    expect(most).toBeLessThanOrEqual(50);
    await until(() => entrance.metrics.active === 0);
    expect(entrance.queue).toMatchObject({ active: 0, depth: 0 });
  });

  test("gives back the slots of clients that hang up: at work, in the midst of an answer, and in the queue", async () => {
    const entrance = new Gate<FetchRequest>({ queue: { enabled: true, maxConcurrent: 2 } });
    const endless = () => new Response(new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(1000)) }));
    const work = (asked: Request) => (asked.url.endsWith("/never") ? new Promise<Response>(() => {}) : endless());
    await using server = await serve(gate(entrance, work));
    const clients = await Promise.all(Array.from({ length: 4 }, () => RawClient.connect(server.port)));
    for (const [i, client] of clients.entries()) {
      client.get(i % 2 === 0 ? "/never" : "/endless");
      await until(() => entrance.metrics.active + entrance.metrics.waiting === i + 1);
    }
    expect(entrance.metrics).toMatchObject({ active: 2, waiting: 2 });
    await until(() => clients[1]?.statuses.length === 1);
    clients[3]?.hangUp();
    await until(() => entrance.metrics.abandoned === 1);
    for (const client of clients) client.hangUp();
    await until(() => entrance.metrics.active === 0 && entrance.metrics.waiting === 0);
    expect(entrance.queue).toMatchObject({ active: 0, depth: 0 });
  });
});
