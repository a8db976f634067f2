import { createServer, IncomingMessage, ServerResponse } from "node:http";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, Socket } from "node:net";
import { toAsync } from "@sluice/core";
import { Gate, RateLimiter } from "@sluice/http";
import { gate, type Handler, rateLimit } from "@sluice/http/node";
import { InMemoryBucket } from "@sluice/memory";
import { describe, expect, expectTypeOf, test } from "vitest";
import { until } from "./support/clients.js";
import { listen } from "./support/listen.js";
import { describeServer, type Work } from "./support/server-suite.js";

const answer500 = (_error: unknown, _request: IncomingMessage, response: ServerResponse) =>
  response.writeHead(500).end();

function answering(work: Work) {
  return async (request: IncomingMessage, response: ServerResponse) => {
    try {
      response.end(await work(request));
    } catch (error) {
      answer500(error, request, response);
    }
  };
}

describeServer("node:http", {
  rateLimit: (limiter, work) => rateLimit(limiter, answering(work), { onError: answer500 }),
  rateLimits: (limiters, work) =>
    limiters.reduceRight<Handler>((handler, limiter) => rateLimit(limiter, handler), answering(work)),
  gate: (entrance, work, note) => {
    const onError: typeof answer500 = (error, request, response) => {
      note(error);
      return answer500(error, request, response);
    };
    return gate(entrance, answering(work), { onError });
  },
  gateTwice: (entrance, work) => gate(entrance, gate(entrance, answering(work))),
});

/** A request and a response that have a connection of their own, which leads nowhere. */
function exchange() {
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  response.assignSocket(request.socket);
  return [request, response] as const;
}

describe("gate() of node:http", () => {
  test("an error of the handler is thrown on, or rejects on, and gives the slot back", async () => {
    const error = new Error("The handler failed.");
    const throwing = () => {
      throw error;
    };
    const rejecting = async () => throwing();
    const entrance = new Gate({ queue: { enabled: true, maxConcurrent: 1 } });
    expect(() => gate(entrance, throwing)(...exchange())).toThrow(error);
    expect(entrance.queue?.active).toBe(0);
    await expect(gate(entrance, rejecting)(...exchange())).rejects.toBe(error);
    expect(entrance.queue?.active).toBe(0);
    const holder = await entrance.enter({ headers: {} });
    const waiting = [throwing, rejecting].map((handler) => gate(entrance, handler)(...exchange()));
    if (holder.allowed) holder.leave();
    expect(await Promise.allSettled(waiting)).toEqual([
      { status: "rejected", reason: error },
      { status: "rejected", reason: error },
    ]);
    expect(entrance.metrics).toMatchObject({ active: 0, admitted: 5 });
  });

  test("a request that is over before it comes is not let in", async () => {
    const entrance = new Gate({ queue: { enabled: true, maxConcurrent: 1 } });
    const [request, response] = exchange();
    response.destroy();
    let isServed = false;
    await gate(entrance, () => {
      isServed = true;
    })(request, response);
    expect(isServed).toBe(false);
    expect(entrance.metrics).toMatchObject({ active: 0, abandoned: 1 });
  });

  test("a client that hangs up at the moment it gets a slot is not served", async () => {
    const entrance = new Gate({ queue: { enabled: true, maxConcurrent: 1 } });
    const holder = await entrance.enter({ headers: {} });
    const [request, response] = exchange();
    let isServed = false;
    const entering = gate(entrance, () => {
      isServed = true;
    })(request, response);
    if (holder.allowed) holder.leave();
    response.destroy();
    await entering;
    expect(isServed).toBe(false);
    expect(entrance.metrics).toMatchObject({ active: 0, admitted: 2 });
  });

  test("takes options, and types the handler as the server does", async () => {
    const server = createServer(
      gate({ rateLimit: { enabled: true, burst: 1 } }, (request, response) => {
        expectTypeOf(request).toEqualTypeOf<IncomingMessage>();
        expectTypeOf(response).toExtend<ServerResponse>();
        response.end("hello");
      }),
    );
    await using listening = await listen(server);
    expect((await fetch(listening.url)).headers.get("RateLimit-Policy")).toBe('"default";q=1;w=1');
  });
});

describe("rateLimit() of node:http", () => {
  test("does not serve a client that hung up while the store was asked", async () => {
    using limiter = new RateLimiter({ limiter: toAsync(new InMemoryBucket("1/s")) });
    const [request, response] = exchange();
    let isServed = false;
    const checking = rateLimit(limiter, () => {
      isServed = true;
    })(request, response);
    response.destroy();
    await checking;
    expect(isServed).toBe(false);
  });

  test("a refusal after the head was sent ends the answer, and is no error", async () => {
    const limited = rateLimit({ rate: 0.001, burst: 1 }, (_request, response) => response.end("served"));
    const full = new Gate({ queue: { enabled: true, maxConcurrent: 1, maxWait: 0 } });
    await full.enter({ headers: {} });
    const gated = gate(full, (_request, response) => response.end("served"));
    const outcomes: Promise<unknown>[] = [];
    await using server = await listen((request, response) => {
      response.writeHead(200).write("begun, ");
      const handler = request.url === "/gate" ? gated : limited;
      outcomes.push((async () => handler(request, response))());
      // So that a failure is told, and not waited for.
      outcomes.at(-1)?.catch(() => response.destroy());
    });
    const texts = [];
    for (const path of ["/", "/", "/gate"]) texts.push(await (await fetch(server.url + path)).text());
    expect(texts).toEqual(["begun, served", "begun, ", "begun, "]);
    await Promise.all(outcomes);
  });

  test("without onError, an error is written to the console and answered with 500", async ({ onTestFinished }) => {
    const error = new Error("There is no user.");
    const key = () => {
      throw error;
    };
    const written: unknown[] = [];
    const { error: original } = console;
    console.error = (...words) => void written.push(...words);
    onTestFinished(() => {
      console.error = original;
    });
    await using server = await listen(rateLimit({ key }, () => {}));
    const response = await fetch(server.url);
    expect(response.status).toBe(500);
    expect(await response.text()).toBe("Internal Server Error\n");
    expect(written).toEqual([error]);
  });
});

describe("over node:http2", () => {
  /** Sends GETs over one session, and waits for the answers. */
  async function getAll(port: number, paths: string[]) {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    const answers = paths.map(
      (path) =>
        new Promise<[status: unknown, limit: unknown]>((resolve, reject) => {
          const stream = session.request({ ":path": path });
          stream.on("response", ({ ":status": status, ratelimit: limit }) => resolve([status, limit]));
          stream.on("error", reject);
          stream.resume();
        }),
    );
    const all = await Promise.all(answers);
    session.close();
    return all;
  }

  /** Serves HTTP/2 until the end of an `await using` block. */
  async function listenHttp2(server: ReturnType<typeof createHttp2Server>) {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
    return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: close };
  }

  test("limits, and tells what is left", async () => {
    const server = createHttp2Server(
      rateLimit({ rate: 0.001, burst: 2 }, (_request, response) => response.end("hello")),
    );
    await using listening = await listenHttp2(server);
    expect(await getAll(listening.port, ["/1", "/2", "/3"])).toEqual([
      [200, '"default";r=1;t=1000'],
      [200, '"default";r=0;t=2000'],
      [429, '"default";r=0;t=2000'],
    ]);
  });

  test("queues the streams of one session, and leaks no slot", async () => {
    const entrance = new Gate({ queue: { enabled: true, maxConcurrent: 2, maxDepth: 3 } });
    const server = createHttp2Server(gate(entrance, (_request, response) => setImmediate(() => response.end("hello"))));
    await using listening = await listenHttp2(server);
    const answers = await getAll(listening.port, ["/1", "/2", "/3", "/4", "/5", "/6", "/7"]);
    expect(answers.map(([status]) => status)).toEqual([200, 200, 200, 200, 200, 503, 503]);
    await until(() => entrance.metrics.active === 0);
    expect(entrance.queue).toMatchObject({ active: 0, depth: 0 });
  });

  test("a stream that is cancelled gives its slot back, served or waiting", async () => {
    const entrance = new Gate({ queue: { enabled: true, maxConcurrent: 1 } });
    await using listening = await listenHttp2(createHttp2Server(gate(entrance, () => {})));
    const session = connectHttp2(`http://127.0.0.1:${listening.port}`);
    const streams = ["/1", "/2"].map((path) => session.request({ ":path": path }));
    await until(() => entrance.metrics.active === 1 && entrance.metrics.waiting === 1);
    for (const stream of streams) stream.close();
    await until(() => entrance.metrics.active === 0 && entrance.metrics.waiting === 0);
    expect(entrance.queue).toMatchObject({ active: 0, depth: 0 });
    session.close();
  });
});
