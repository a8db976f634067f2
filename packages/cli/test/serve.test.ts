import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import { Readable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { readAnswer, signal, TestProxy, TestUpstream } from "./serve-harness.js";

const MEGABYTE = 2 ** 20;

describe("sluice serve: bodies", () => {
  test("passes on what was sent and what was answered, byte for byte", async () => {
    await using upstream = await TestUpstream.start((request, response) => request.pipe(response));
    await using proxy = await TestProxy.start(upstream.origin);
    const body = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
    const outgoing = proxy.open("/echo?a=b", { method: "POST" });
    outgoing.end(body);
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    expect((await buffer(response)).equals(body)).toBe(true);
    expect(upstream.requests[0]?.url).toBe("/echo?a=b");
  });

  test("the first bytes arrive before the last are sent, both ways", async () => {
    const arrived = signal<string>();
    await using upstream = await TestUpstream.start((request, response) => {
      response.write("begin,");
      request.once("data", (chunk) => arrived.raise(String(chunk)));
      request.once("end", () => response.end("end"));
    });
    await using proxy = await TestProxy.start(upstream.origin);
    const outgoing = proxy.open("/", { method: "POST" });
    outgoing.write("first");
    expect(await arrived.raised).toBe("first");
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    const [chunk] = await once(response, "data");
    expect(String(chunk)).toBe("begin,");
    outgoing.end("last");
    expect(await text(response)).toBe("end");
  });

  test("the fields of an answer do not wait for its body", async () => {
    const goOn = signal();
    await using upstream = await TestUpstream.start(async (_, response) => {
      response.flushHeaders();
      await goOn.raised;
      response.end("late");
    });
    await using proxy = await TestProxy.start(upstream.origin);
    const outgoing = proxy.open("/").end();
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    goOn.raise();
    expect(await text(response)).toBe("late");
  });

  test("an answer of 100 MB that nobody reads stays with the upstream", async () => {
    let sent = 0;
    const chunk = Buffer.alloc(64 * 1024);
    const stalled = signal();
    const goOn = signal();
    await using upstream = await TestUpstream.start((_, response) => {
      const body = Readable.from(
        (function* () {
          for (sent = 0; sent < 100 * MEGABYTE; sent += chunk.length) yield chunk;
        })(),
      );
      body.pipe(response);
      // Nothing moves any more once no turn of a whole second sends anything: the kernel's buffers are full.
      let before = -1;
      const watch = setInterval(() => {
        if (sent === before) stalled.raise();
        before = sent;
      }, 300);
      void goOn.raised.then(() => clearInterval(watch));
    });
    await using proxy = await TestProxy.start(upstream.origin);
    const heap = process.memoryUsage().arrayBuffers;
    const outgoing = proxy.open("/").end();
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    await stalled.raised;
    goOn.raise();
    expect(sent).toBeLessThan(40 * MEGABYTE);
    expect(process.memoryUsage().arrayBuffers - heap).toBeLessThan(20 * MEGABYTE);
    let received = 0;
    for await (const part of response) received += part.length;
    expect(received).toBe(100 * MEGABYTE);
  });

  test("a body that the upstream does not read stays with the client", async () => {
    const goOn = signal();
    let received = 0;
    await using upstream = await TestUpstream.start(async (request, response) => {
      await goOn.raised;
      for await (const chunk of request) received += chunk.length;
      response.end(String(received));
    });
    await using proxy = await TestProxy.start(upstream.origin);
    const outgoing = proxy.open("/", { method: "POST", headers: { "content-length": 100 * MEGABYTE } });
    const chunk = Buffer.alloc(64 * 1024);
    let sent = 0;
    while (sent < 100 * MEGABYTE) {
      sent += chunk.length;
      if (outgoing.write(chunk)) continue;
      const moved = await Promise.race([once(outgoing, "drain"), new Promise((resolve) => setTimeout(resolve, 500))]);
      if (moved === undefined) {
        expect(sent).toBeLessThan(40 * MEGABYTE);
        goOn.raise();
        if (outgoing.writableNeedDrain) await once(outgoing, "drain");
      }
    }
    outgoing.end();
    expect((await readAnswer(outgoing)).text).toBe(String(100 * MEGABYTE));
  });

  test.each([
    ["HEAD", 200, { "content-length": "5" }],
    ["GET", 204, {}],
    ["GET", 304, { etag: '"a"' }],
  ])("%s with %i has no body, and the connection serves the next", async (method, status, headers) => {
    await using upstream = await TestUpstream.start((_, response) => response.writeHead(status, headers).end());
    await using proxy = await TestProxy.start(upstream.origin);
    for (let i = 0; i < 2; i++) {
      const answer = await proxy.get("/", { method });
      expect(answer).toMatchObject({ status, text: "", headers });
      expect(answer.headers["transfer-encoding"]).toBeUndefined();
    }
  });

  test("an upstream that refuses a body early is heard, and the connection serves the next", async () => {
    await using upstream = await TestUpstream.start((request, response) => {
      if (request.method === "GET") response.end("next");
      else response.writeHead(413).end("too much");
    });
    await using proxy = await TestProxy.start(upstream.origin);
    const answer = await proxy.get("/", { method: "POST", body: Buffer.alloc(5 * MEGABYTE) });
    expect(answer).toMatchObject({ status: 413, text: "too much" });
    expect((await proxy.get("/")).text).toBe("next");
  });

  test("a body by GET goes on, with its length", async () => {
    await using upstream = await TestUpstream.start((request, response) => request.pipe(response));
    await using proxy = await TestProxy.start(upstream.origin);
    expect((await proxy.get("/", { body: "asked", headers: { "content-length": 5 } })).text).toBe("asked");
    expect(upstream.requests[0]?.headers["content-length"]).toBe("5");
  });

  test("an answer that the upstream breaks off does not look whole", async () => {
    await using upstream = await TestUpstream.start((_, response) => {
      response.write("half");
      setImmediate(() => response.destroy());
    });
    await using proxy = await TestProxy.start(upstream.origin);
    await expect(proxy.get("/")).rejects.toThrow("aborted");
  });
});

describe("sluice serve: Expect: 100-continue", () => {
  test("the client is told to go on once it is let in, and the upstream is not asked", async () => {
    await using upstream = await TestUpstream.start((request, response) => request.pipe(response));
    await using proxy = await TestProxy.start(upstream.origin);
    const outgoing = proxy.open("/", { method: "PUT", headers: { expect: "100-continue", "content-length": 4 } });
    outgoing.flushHeaders();
    await once(outgoing, "continue");
    outgoing.end("body");
    expect((await readAnswer(outgoing)).text).toBe("body");
    expect(upstream.requests[0]?.headers.expect).toBeUndefined();
  });

  test("a client that is refused is not told to go on", async () => {
    await using upstream = await TestUpstream.start();
    await using proxy = await TestProxy.start(upstream.origin, { rate: "1/h" });
    await proxy.get("/");
    const outgoing = proxy.open("/", { method: "PUT", headers: { expect: "100-continue", "content-length": 4 } });
    outgoing.once("continue", () => expect.fail("It was told to go on."));
    outgoing.flushHeaders();
    expect(await readAnswer(outgoing)).toMatchObject({ status: 429, headers: { connection: "close" } });
    outgoing.destroy();
  });
});

describe("sluice serve: header fields", () => {
  test("drops those of the hop, both ways, and those that Connection names", async () => {
    await using upstream = await TestUpstream.start((_, response) => {
      const hop = { connection: "keep-alive, x-secret", "keep-alive": "timeout=7", "proxy-authenticate": "Basic" };
      response.writeHead(200, {
        ...hop,
        "x-secret": "1",
        "x-open": "2",
        trailer: "x-sum",
        "set-cookie": ["a=1", "b=2"],
      });
      response.end();
    });
    await using proxy = await TestProxy.start(upstream.origin);
    const hop = { connection: "keep-alive, x-private", te: "trailers", "proxy-authorization": "Basic eDp5" };
    const { headers } = await proxy.get("/", { headers: { ...hop, "x-private": "1", "x-public": "2" } });
    expect(headers).toMatchObject({ "x-open": "2", "set-cookie": ["a=1", "b=2"], "keep-alive": "timeout=75" });
    for (const name of ["x-secret", "proxy-authenticate", "trailer"]) expect(headers).not.toHaveProperty(name);
    const sent = upstream.requests[0]?.headers;
    expect(sent).toMatchObject({ "x-public": "2" });
    for (const name of ["x-private", "te", "proxy-authorization"]) expect(sent).not.toHaveProperty(name);
  });

  test("Connection cannot take away how long the body is, nor whom it is for", async () => {
    await using upstream = await TestUpstream.start((request, response) => request.pipe(response));
    await using proxy = await TestProxy.start(upstream.origin);
    const headers = { connection: "content-length, host, x-forwarded-for", "content-length": 4 };
    expect((await proxy.get("/", { method: "POST", headers, body: "body" })).text).toBe("body");
    const sent = upstream.requests[0]?.headers;
    expect(sent).toMatchObject({ "content-length": "4", "x-forwarded-for": "127.0.0.1" });
    expect(sent?.host).toBe(`127.0.0.1:${proxy.port}`);
  });

  test("says for whom, by what name and by what protocol a request came", async () => {
    await using upstream = await TestUpstream.start();
    await using proxy = await TestProxy.start(upstream.origin);
    await proxy.get("/", { headers: { host: "shop.example", "x-forwarded-for": "1.1.1.1", via: "1.1 edge" } });
    expect(upstream.requests[0]?.headers).toMatchObject({
      host: "shop.example",
      "x-forwarded-for": "1.1.1.1, 127.0.0.1",
      "x-forwarded-host": "shop.example",
      "x-forwarded-proto": "http",
      via: "1.1 edge, 1.1 sluice",
    });
  });

  const claims = { "x-forwarded-proto": "https", "x-forwarded-host": "shop.example", forwarded: "for=1.1.1.1" };

  test("what a stranger claims about the way is not passed on", async () => {
    await using upstream = await TestUpstream.start();
    await using proxy = await TestProxy.start(upstream.origin, { trusted: ["10.0.0.0/8"] });
    await proxy.get("/", { headers: claims });
    expect(upstream.requests[0]?.headers).toMatchObject({ "x-forwarded-proto": "http" });
    expect(upstream.requests[0]?.headers["x-forwarded-host"]).toBe(`127.0.0.1:${proxy.port}`);
    expect(upstream.requests[0]?.headers).not.toHaveProperty("forwarded");
  });

  test("what a trusted proxy says about the way is", async () => {
    await using upstream = await TestUpstream.start();
    await using proxy = await TestProxy.start(upstream.origin, { trusted: "loopback" });
    await proxy.get("/", { headers: claims });
    expect(upstream.requests[0]?.headers).toMatchObject(claims);
  });

  test("--host-header upstream gives the upstream its own name", async () => {
    await using upstream = await TestUpstream.start();
    await using proxy = await TestProxy.start(upstream.origin, { hostHeader: "upstream" });
    await proxy.get("/", { headers: { host: "shop.example" } });
    const sent = upstream.requests[0]?.headers;
    expect(`http://${sent?.host}`).toBe(upstream.origin);
    expect(sent?.["x-forwarded-host"]).toBe("shop.example");
  });

  test("values beyond ASCII pass unchanged, both ways", async () => {
    await using upstream = await TestUpstream.start((request, response) => {
      response.setHeader("x-back", request.headers["x-name"] ?? "");
      response.end();
    });
    await using proxy = await TestProxy.start(upstream.origin);
    const { headers } = await proxy.get("/", { headers: { "x-name": "caf\u00e9" } });
    expect(headers["x-back"]).toBe("caf\u00e9");
  });
});

describe("sluice serve: request targets", () => {
  test("a whole URL becomes a path, and its host counts", async () => {
    await using upstream = await TestUpstream.start();
    await using proxy = await TestProxy.start(upstream.origin);
    await proxy.get("http://shop.example/a?b", { headers: { host: "other.example" } });
    expect(upstream.requests[0]).toMatchObject({ url: "/a?b", headers: { host: "shop.example" } });
  });

  test("what is neither a path nor a URL is told", async () => {
    await using upstream = await TestUpstream.start();
    await using proxy = await TestProxy.start(upstream.origin);
    expect((await proxy.get("*", { method: "OPTIONS" })).status).toBe(400);
    expect(upstream.requests).toEqual([]);
  });

  test("two lengths, or a length beside chunks, never reach the upstream", async () => {
    await using upstream = await TestUpstream.start();
    await using proxy = await TestProxy.start(upstream.origin);
    for (const framing of [
      "Content-Length: 4\r\nContent-Length: 5",
      "Content-Length: 4\r\nTransfer-Encoding: chunked",
    ]) {
      const socket = connect(proxy.port, "127.0.0.1");
      socket.write(`POST / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n0\r\n\r\n`);
      expect(await text(socket)).toMatch(/^HTTP\/1.1 400 /);
    }
    expect(upstream.requests).toEqual([]);
  });

  test("a client of HTTP/1.0 is answered in its own way", async () => {
    await using upstream = await TestUpstream.start((_, response) => {
      response.write("in ");
      response.end("chunks");
    });
    await using proxy = await TestProxy.start(upstream.origin);
    const socket = connect(proxy.port, "127.0.0.1");
    socket.write("GET / HTTP/1.0\r\n\r\n");
    expect(await text(socket)).toMatch(/^HTTP\/1.1 200 .*connection: close\r\n(.*\r\n)?\r\nin chunks$/is);
    expect(upstream.requests[0]?.headers).toMatchObject({ host: new URL(upstream.origin).host, via: "1.0 sluice" });
  });

  test("requests in one go are answered in order", async () => {
    await using upstream = await TestUpstream.start((request, response) => response.end(`\n${request.url}\n`));
    await using proxy = await TestProxy.start(upstream.origin);
    const socket = connect(proxy.port, "127.0.0.1");
    const line = (path: string, end = "") => `GET ${path} HTTP/1.1\r\nHost: a\r\n${end}\r\n`;
    socket.write(line("/1") + line("/2") + line("/3", "Connection: close\r\n"));
    expect((await text(socket)).match(/^\/\d$/gm)).toEqual(["/1", "/2", "/3"]);
  });
});
