import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { readAnswer, signal, TestProxy, TestUpstream, until } from "./serve-harness.js";

const MEGABYTE = 2 ** 20;
const H2C = { connection: "Upgrade, HTTP2-Settings", upgrade: "h2c", "http2-settings": "AAMAAABkAAQAAP__" };

/** Opens a connection and writes to it. */
async function dial(proxy: TestProxy, written = ""): Promise<Socket> {
  const socket = connect(proxy.port, "127.0.0.1");
  await once(socket, "connect");
  socket.on("error", () => {}).write(written);
  return socket;
}

/** The lines of a request without a body. */
function head(path: string, fields: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n${lines.join("")}\r\n`;
}

/** An upstream that answers when it is told to. */
async function patientUpstream() {
  const goOn = signal();
  const upstream = await TestUpstream.start(async (_, response) => {
    await goOn.raised;
    response.end("done");
  });
  return { upstream, goOn };
}

describe("sluice serve: pipelined requests", () => {
  test("an upgrade behind an unanswered request ends the connection, and nothing else", async () => {
    const { upstream, goOn } = await patientUpstream();
    await using _ = upstream;
    await using proxy = await TestProxy.start(upstream.origin, { maxConcurrent: 4 });
    const upgrade = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" };
    const socket = await dial(proxy, head("/a") + head("/b", upgrade));
    expect(await text(socket).catch(() => "")).toBe("");
    goOn.raise();
    await until(() => proxy.proxy.gate.metrics.active === 0);
    expect((await proxy.get("/")).text).toBe("done");
  });

  test("take no slot before it is their turn, and none when the client is gone by then", async () => {
    const { upstream, goOn } = await patientUpstream();
    await using _ = upstream;
    await using proxy = await TestProxy.start(upstream.origin, { maxConcurrent: 8 });
    const socket = await dial(proxy, head("/1") + head("/2") + head("/3"));
    await until(() => upstream.requests.length > 0);
    const next = proxy.get("/next");
    await until(() => upstream.requests.some(({ url }) => url === "/next"));
    expect(proxy.proxy.gate.metrics.active).toBe(2);
    socket.destroy();
    goOn.raise();
    await next;
    await until(() => proxy.proxy.gate.metrics.active === 0);
    expect(upstream.requests.map(({ url }) => url)).toEqual(["/1", "/next"]);
  }, 5000);
});

describe("sluice serve: many header fields", () => {
  test("none is dropped, however many lines came before it", async () => {
    await using upstream = await TestUpstream.start((request, response) => request.pipe(response));
    await using proxy = await TestProxy.start(upstream.origin);
    const fields = `${"a:b\r\n".repeat(2100)}X-Forwarded-For: 192.0.2.7\r\nContent-Length: 4\r\nConnection: close\r\n`;
    const socket = await dial(proxy, `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\nbody`);
    expect(await text(socket)).toMatch(/\r\n\r\n(?:4\r\n)?body/);
    expect(upstream.requests[0]?.headers["x-forwarded-for"]).toBe("192.0.2.7, 127.0.0.1");
  });
});

describe("sluice serve: a client that sends its fields bit by bit", () => {
  test("is given up after a while, though it never stands still", async () => {
    await using upstream = await TestUpstream.start();
    await using proxy = await TestProxy.start(upstream.origin, {}, { headersTimeout: 100 });
    const socket = await dial(proxy, "GET / HTTP/1.1\r\nHost: a\r\n");
    const drip = setInterval(() => socket.write("a: b\r\n"), 20);
    expect(await text(socket)).toMatch(/^HTTP\/1.1 408 /);
    clearInterval(drip);
    expect(upstream.requests).toEqual([]);
  }, 5000);
});

describe("sluice serve: upgrades that are not offered", () => {
  test("do not keep a large answer from coming whole, and hold no slot after it", async () => {
    await using upstream = await TestUpstream.start((_, response) => response.end(Buffer.alloc(10 * MEGABYTE)));
    await using proxy = await TestProxy.start(upstream.origin, { maxConcurrent: 1 });
    for (let i = 0; i < 2; i++) {
      const answer = await readAnswer(proxy.open("/", { agent: false, headers: H2C }).end());
      expect(answer).toMatchObject({ status: 200, headers: { connection: "close" } });
      expect(answer.text.length).toBe(10 * MEGABYTE);
    }
    await until(() => proxy.proxy.gate.metrics.active === 0);
    for (const name of ["upgrade", "http2-settings"]) expect(upstream.requests[0]?.headers).not.toHaveProperty(name);
  }, 5000);

  test("may bring a body", async () => {
    await using upstream = await TestUpstream.start((request, response) => request.pipe(response));
    await using proxy = await TestProxy.start(upstream.origin);
    const outgoing = proxy.open("/", { agent: false, method: "POST", headers: H2C });
    outgoing.end("x".repeat(MEGABYTE));
    expect((await readAnswer(outgoing)).text.length).toBe(MEGABYTE);
  });

  test("free their slot when the client hangs up", async () => {
    const { upstream } = await patientUpstream();
    await using _ = upstream;
    await using proxy = await TestProxy.start(upstream.origin, { maxConcurrent: 1 });
    const socket = await dial(proxy, head("/", H2C));
    await until(() => upstream.requests.length === 1);
    socket.destroy();
    await until(() => proxy.proxy.gate.metrics.active === 0);
  }, 5000);

  test("CONNECT is a request that cannot be passed on", async () => {
    await using upstream = await TestUpstream.start();
    await using proxy = await TestProxy.start(upstream.origin);
    const socket = await dial(proxy, "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n");
    expect(await text(socket)).toMatch(/^HTTP\/1.1 400 /);
    expect(upstream.requests).toEqual([]);
  });
});

describe("sluice serve: connections at the end", () => {
  test("one without a request, or half of one, does not hold the end up", async () => {
    await using upstream = await TestUpstream.start();
    await using proxy = await TestProxy.start(upstream.origin);
    const sockets = [await dial(proxy), await dial(proxy, "GET / HT")];
    await until(async () => (await proxy.proxy.connections()) === 2);
    const closed = Promise.all(sockets.map((socket) => once(socket.resume(), "close")));
    await proxy.proxy.drain();
    await closed;
  }, 5000);

  test("an answer that begins then says that it is the last", async () => {
    const { upstream, goOn } = await patientUpstream();
    await using _ = upstream;
    await using proxy = await TestProxy.start(upstream.origin, { maxConcurrent: 1 });
    const running = [proxy.get("/1"), proxy.get("/2")];
    await until(() => proxy.proxy.gate.metrics.waiting === 1);
    const drained = proxy.proxy.drain();
    goOn.raise();
    for (const answer of await Promise.all(running)) {
      expect(answer).toMatchObject({ status: 200, text: "done", headers: { connection: "close" } });
    }
    await drained;
  });

  test("pipelined requests are all answered, and only the last says so", async () => {
    const { upstream, goOn } = await patientUpstream();
    await using _ = upstream;
    await using proxy = await TestProxy.start(upstream.origin);
    const socket = await dial(proxy, head("/1") + head("/2"));
    await until(() => upstream.requests.length > 0);
    const drained = proxy.proxy.drain();
    goOn.raise();
    expect((await text(socket)).match(/^Connection: \S+|done/gim)).toEqual([
      "Connection: keep-alive",
      "done",
      "Connection: close",
      "done",
    ]);
    await drained;
  }, 5000);
});

describe("sluice serve: an upload that is refused", () => {
  test("is not swallowed without end, and the refusal is heard", async () => {
    await using upstream = await TestUpstream.start();
    await using proxy = await TestProxy.start(upstream.origin, { rate: "1/h" });
    await proxy.get("/");
    const socket = await dial(proxy, `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${500 * MEGABYTE}\r\n\r\n`);
    let heard = "";
    socket.on("data", (chunk) => {
      heard += chunk;
    });
    const chunk = Buffer.alloc(64 * 1024);
    const send = () => {
      while (!socket.destroyed && socket.bytesWritten < 200 * MEGABYTE && socket.write(chunk));
    };
    socket.on("drain", send);
    send();
    await new Promise((resolve) => socket.once("close", resolve));
    expect(heard).toMatch(/^HTTP\/1.1 429 .*\r\nConnection: close\r\n.*"violated-policies"/s);
    expect(socket.bytesWritten).toBeLessThan(40 * MEGABYTE);
  }, 10_000);

  test("of chunks that stop coming keeps its connection no longer than a moment", async () => {
    await using upstream = await TestUpstream.start();
    await using proxy = await TestProxy.start(upstream.origin, { rate: "1/h" });
    await proxy.get("/");
    const socket = await dial(proxy, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n");
    expect(await text(socket)).toMatch(/^HTTP\/1.1 429 /);
  }, 5000);

  test("leaves the connection to the next request where it is small", async () => {
    await using upstream = await TestUpstream.start();
    await using proxy = await TestProxy.start(upstream.origin, { rate: "1/h" });
    await proxy.get("/");
    const post = { method: "POST", headers: { "content-length": 4 }, body: "body" };
    for (let i = 0; i < 2; i++) {
      expect(await proxy.get("/", post)).toMatchObject({ status: 429, headers: { connection: "keep-alive" } });
    }
    expect(await proxy.proxy.connections()).toBe(1);
  });
});
