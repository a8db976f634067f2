import { createHash } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, type RequestOptions, ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { readAnswer, signal, TestProxy, TestUpstream, until } from "./serve-harness.js";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = createHash("sha1").update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
const UPGRADE = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-key": KEY,
  "sec-websocket-version": "13",
};

/** An upstream that agrees, greets, and sends back whatever comes. */
async function echoUpstream(sockets: Socket[] = []): Promise<TestUpstream> {
  const upstream = await TestUpstream.start();
  upstream.server.on("upgrade", (incoming, stream, head) => {
    const socket = stream as Socket;
    upstream.requests.push(incoming);
    sockets.push(socket.on("error", () => {}));
    const response = new ServerResponse(incoming);
    response.assignSocket(socket);
    response.writeHead(101, { connection: "Upgrade", upgrade: "websocket", "sec-websocket-accept": ACCEPT });
    response.flushHeaders();
    response.detachSocket(socket);
    socket.write("welcome");
    socket.write(head);
    socket.pipe(socket);
  });
  return upstream;
}

/** Asks for a WebSocket, and gives the connection when the answer is 101. */
async function open(proxy: TestProxy, options: RequestOptions = {}): Promise<[IncomingMessage, Socket]> {
  const outgoing = proxy.open("/chat?room=1", { agent: false, headers: UPGRADE, ...options });
  outgoing.end();
  const [response, socket, head] = (await once(outgoing, "upgrade")) as [IncomingMessage, Socket, Buffer];
  if (head.length > 0) socket.unshift(head);
  return [response, socket];
}

/** A handshake as it is sent. */
function handshake(path: string): string {
  const lines = Object.entries(UPGRADE).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n${lines.join("")}\r\n`;
}

async function read(socket: Socket, length: number): Promise<string> {
  let got = "";
  while (got.length < length) got += String(((await once(socket, "data")) as [Buffer])[0]);
  return got;
}

describe("sluice serve: WebSockets", () => {
  test("bytes go both ways after the handshake, those included that came with it", async () => {
    await using upstream = await echoUpstream();
    await using proxy = await TestProxy.start(upstream.origin);
    const [response, socket] = await open(proxy);
    expect(response.headers).toMatchObject({ upgrade: "websocket", "sec-websocket-accept": ACCEPT });
    expect(await read(socket, 7)).toBe("welcome");
    socket.write("ping");
    expect(await read(socket, 4)).toBe("ping");
    const sent = upstream.requests[0];
    expect(sent?.url).toBe("/chat?room=1");
    expect(sent?.headers).toMatchObject({ "sec-websocket-key": KEY, "x-forwarded-for": "127.0.0.1" });
    socket.end();
    await once(socket, "close");
  });

  test("what the client sends right behind its request is not lost", async () => {
    await using upstream = await echoUpstream();
    await using proxy = await TestProxy.start(upstream.origin);
    const socket = connect(proxy.port, "127.0.0.1");
    socket.write(`${handshake("/")}early`);
    let got = "";
    while (!got.endsWith("early")) got += String(((await once(socket, "data")) as [Buffer])[0]);
    expect(got).toMatch(/^HTTP\/1.1 101 .*\r\n\r\nwelcomeearly$/s);
    socket.destroy();
  });

  test("ends on one side when it ends on the other", async () => {
    const sockets: Socket[] = [];
    await using upstream = await echoUpstream(sockets);
    await using proxy = await TestProxy.start(upstream.origin);
    const [, first] = await open(proxy);
    first.destroy();
    await until(() => sockets[0]?.destroyed === true);
    const [, second] = await open(proxy);
    sockets[1]?.destroy();
    second.resume();
    await once(second, "close");
  });

  test("an open one holds no slot, and is counted", async () => {
    await using upstream = await echoUpstream();
    await using proxy = await TestProxy.start(upstream.origin, { maxConcurrent: 1 });
    const [, first] = await open(proxy);
    const [, second] = await open(proxy);
    expect((await proxy.get("/")).text).toBe("hello");
    expect((await proxy.get("/metrics")).text).toContain("\nsluice_open_websockets 2\n");
    first.destroy();
    second.destroy();
    await until(async () => (await proxy.get("/metrics")).text.includes("\nsluice_open_websockets 0\n"));
    expect(proxy.proxy.gate.metrics.active).toBe(0);
  });

  test("a handshake is limited as any request", async () => {
    await using upstream = await echoUpstream();
    await using proxy = await TestProxy.start(upstream.origin, { rate: "1/h" });
    const [response, socket] = await open(proxy);
    expect(response.headers).toMatchObject({ ratelimit: '"default";r=0;t=3600' });
    socket.destroy();
    const outgoing = proxy.open("/", { agent: false, headers: UPGRADE }).end();
    expect(await readAnswer(outgoing)).toMatchObject({ status: 429, headers: { connection: "close" } });
  });

  test("an upstream that refuses is heard", async () => {
    await using upstream = await TestUpstream.start((_, response) => response.writeHead(401).end("who?"));
    await using proxy = await TestProxy.start(upstream.origin);
    const outgoing = proxy.open("/", { agent: false, headers: UPGRADE }).end();
    expect(await readAnswer(outgoing)).toMatchObject({ status: 401, text: "who?" });
    await until(() => proxy.proxy.gate.metrics.active === 0);
  });

  test("an upstream that is not there: 502", async () => {
    await using proxy = await TestProxy.start("http://127.0.0.1:9");
    const outgoing = proxy.open("/", { agent: false, headers: UPGRADE }).end();
    expect((await readAnswer(outgoing)).status).toBe(502);
  });

  test("an upstream that refuses at length is heard to the end", async () => {
    await using upstream = await TestUpstream.start((_, response) =>
      response.writeHead(401).end("x".repeat(5_000_000)),
    );
    await using proxy = await TestProxy.start(upstream.origin);
    const outgoing = proxy.open("/", { agent: false, headers: UPGRADE }).end();
    expect((await readAnswer(outgoing)).text.length).toBe(5_000_000);
  }, 5000);

  test.each(["end", "destroy"] as const)(
    "a client that hangs up meanwhile frees its slot: %s",
    async (how) => {
      await using upstream = await TestUpstream.start();
      let isDropped = false;
      upstream.server.on("upgrade", (incoming, socket) => {
        upstream.requests.push(incoming);
        const drop = () => {
          isDropped = true;
        };
        socket.on("error", drop).on("end", drop).resume();
      });
      await using proxy = await TestProxy.start(upstream.origin, { maxConcurrent: 1 });
      const socket = connect(proxy.port, "127.0.0.1");
      socket.write(`${handshake("/lost")}early`);
      await until(() => upstream.requests.length === 1);
      const queued = connect(proxy.port, "127.0.0.1");
      queued.write(handshake("/queued"));
      await until(() => proxy.proxy.gate.metrics.waiting === 1);
      queued[how]();
      await until(() => proxy.proxy.gate.metrics.waiting === 0);
      socket[how]();
      await until(() => proxy.proxy.gate.metrics.active === 0 && isDropped);
      expect(upstream.requests.length).toBe(1);
    },
    5000,
  );

  test("what a client sends before the upstream agrees is kept up to a bound, and all of it arrives", async () => {
    const agree = signal();
    await using gatekeeper = await TestUpstream.start();
    const received = signal<number>();
    gatekeeper.server.on("upgrade", (_, socket, head) => {
      const agreement = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
      let length = head.length;
      const count = (chunk: Buffer) => {
        length += chunk.length;
        if (length === 30_000_000) received.raise(length);
      };
      void agree.raised.then(() => {
        socket.write(agreement);
        socket.on("data", count);
      });
    });
    await using proxy = await TestProxy.start(gatekeeper.origin);
    const before = process.memoryUsage().arrayBuffers;
    const socket = connect(proxy.port, "127.0.0.1");
    socket.resume().write(handshake("/"));
    const body = Buffer.alloc(30_000_000);
    socket.write(body);
    // Nothing moves any more once the kernel's buffers are full.
    for (let last = -1; last !== socket.bytesWritten - socket.writableLength; ) {
      last = socket.bytesWritten - socket.writableLength;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(process.memoryUsage().arrayBuffers - before - body.length).toBeLessThan(10_000_000);
    agree.raise();
    expect(await received.raised).toBe(30_000_000);
    socket.destroy();
  });
});
