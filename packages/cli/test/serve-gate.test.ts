import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { openGate } from "../src/serve/open-gate.js";
import { fromFile, readSettings } from "../src/serve/read-settings.js";
import { readAnswer, signal, TestProxy, TestUpstream, until } from "./serve-harness.js";

const PROBLEM = { "content-type": "application/problem+json" };

describe("sluice serve: limits", () => {
  test("a client that asks too much gets 429, with when to come back; the upstream does not see it", async () => {
    await using upstream = await TestUpstream.start();
    await using proxy = await TestProxy.start(upstream.origin, { rate: "2/h", burst: 2 });
    const first = await proxy.get("/");
    expect(first).toMatchObject({ status: 200, text: "hello", headers: { ratelimit: '"default";r=1;t=1800' } });
    expect(first.headers["ratelimit-policy"]).toBe('"default";q=2;w=3600');
    await proxy.get("/");
    const refusal = await proxy.get("/");
    expect(refusal).toMatchObject({ status: 429, headers: { ...PROBLEM, "retry-after": "1800" } });
    expect(JSON.parse(refusal.text)).toMatchObject({ status: 429, "violated-policies": ["default"] });
    expect(upstream.requests.length).toBe(2);
  });

  test("what the upstream tells of limits of its own stands beside it", async () => {
    await using upstream = await TestUpstream.start((_, response) =>
      response.setHeader("RateLimit", '"mine";r=1').end(),
    );
    await using proxy = await TestProxy.start(upstream.origin, { rate: "2/h" });
    expect((await proxy.get("/")).headers).toMatchObject({ ratelimit: '"mine";r=1, "default";r=1;t=1800' });
  });

  test("--key header:NAME counts by that field, and --key none counts all as one", async () => {
    await using upstream = await TestUpstream.start();
    await using byKey = await TestProxy.start(upstream.origin, { rate: "1/h", key: "header:x-api-key" });
    const statusOf = async (proxy: TestProxy, key: string) =>
      (await proxy.get("/", { headers: { "x-api-key": key } })).status;
    expect([await statusOf(byKey, "a"), await statusOf(byKey, "b"), await statusOf(byKey, "a")]).toEqual([
      200, 200, 429,
    ]);
    await using shared = await TestProxy.start(upstream.origin, { rate: "1/h", key: "none" });
    expect([await statusOf(shared, "a"), await statusOf(shared, "b")]).toEqual([200, 429]);
  });

  test("says once, in its own words, when clients seem to come through a proxy that nobody trusts", async () => {
    const told: string[] = [];
    const gate = await openGate(readSettings([fromFile({ upstream: "http://127.0.0.1:1" }, "test")]), (text) =>
      told.push(text),
    );
    const request = { headers: { "x-forwarded-for": "192.0.2.1" }, socket: { remoteAddress: "127.0.0.1" } };
    for (let i = 0; i < 2; i++) await gate.enter(request);
    expect(told).toEqual([expect.stringContaining("--trusted 10.0.0.0/8")]);
  });

  test("--trusted believes the proxies in front, and nobody else", async () => {
    await using upstream = await TestUpstream.start();
    await using believing = await TestProxy.start(upstream.origin, { rate: "1/h", trusted: ["127.0.0.0/8"] });
    await using doubting = await TestProxy.start(upstream.origin, { rate: "1/h" });
    const statusOf = async (proxy: TestProxy, client: string) =>
      (await proxy.get("/", { headers: { "x-forwarded-for": client } })).status;
    expect([await statusOf(believing, "192.0.2.1"), await statusOf(believing, "192.0.2.2")]).toEqual([200, 200]);
    expect([await statusOf(doubting, "192.0.2.1"), await statusOf(doubting, "192.0.2.2")]).toEqual([200, 429]);
  });

  test("several rates hold at once, and counts lie in the store that is named", async () => {
    await using upstream = await TestUpstream.start();
    const config = { rate: ["2/h", "3/day"], burst: 2, store: "sqlite::memory:" };
    await using proxy = await TestProxy.start(upstream.origin, config);
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await proxy.get("/")).status);
    expect(statuses).toEqual([200, 200, 429]);
  });

  test("--fields none tells clients nothing but when to come back", async () => {
    await using upstream = await TestUpstream.start();
    await using proxy = await TestProxy.start(upstream.origin, { rate: "1/h", fields: "none" });
    expect(Object.keys((await proxy.get("/")).headers).filter((name) => name.includes("ratelimit"))).toEqual([]);
    expect((await proxy.get("/")).headers["retry-after"]).toBe("3600");
  });
});

describe("sluice serve: the queue", () => {
  test("so many are at work, so many wait, and the rest get 503 at once", async () => {
    const goOn = signal();
    await using upstream = await TestUpstream.start(async (_, response) => {
      await goOn.raised;
      response.end("done");
    });
    await using proxy = await TestProxy.start(upstream.origin, { maxConcurrent: 2, queueDepth: 1 });
    const served = [proxy.get("/1"), proxy.get("/2"), proxy.get("/3")];
    await until(() => proxy.proxy.gate.queue?.depth === 1);
    const refusal = await proxy.get("/4");
    expect(refusal).toMatchObject({ status: 503, headers: { ...PROBLEM, "retry-after": "1" } });
    expect(JSON.parse(refusal.text).type).toContain("temporary-reduced-capacity");
    expect(upstream.requests.length).toBe(2);
    goOn.raise();
    expect((await Promise.all(served)).map(({ status }) => status)).toEqual([200, 200, 200]);
    await until(() => proxy.proxy.gate.metrics.active === 0);
  });

  test("a client that hangs up frees its slot, and the upstream is told", async () => {
    const reached = signal();
    const dropped = signal();
    await using upstream = await TestUpstream.start((request, response) => {
      if (request.url === "/next") response.end("next");
      else {
        response.on("close", () => dropped.raise());
        reached.raise();
      }
    });
    await using proxy = await TestProxy.start(upstream.origin, { maxConcurrent: 1 });
    const lost = proxy
      .open("/lost")
      .on("error", () => {})
      .end();
    await reached.raised;
    const next = proxy.get("/next");
    lost.destroy();
    await dropped.raised;
    expect((await next).text).toBe("next");
    await until(() => proxy.proxy.gate.metrics.active === 0);
  });

  test("a client that hangs up in the midst of a long answer frees its slot", async () => {
    const dropped = signal();
    await using upstream = await TestUpstream.start((_, response) => {
      const timer = setInterval(() => response.write("more"), 5);
      response.on("close", () => {
        clearInterval(timer);
        dropped.raise();
      });
    });
    await using proxy = await TestProxy.start(upstream.origin, { maxConcurrent: 1 });
    const lost = proxy
      .open("/")
      .on("error", () => {})
      .end();
    await once(lost, "response");
    lost.destroy();
    await dropped.raised;
    await until(() => proxy.proxy.gate.metrics.active === 0);
  });

  test("a client that hangs up in the queue leaves it, and the upstream never hears of it", async () => {
    const goOn = signal();
    await using upstream = await TestUpstream.start(async (_, response) => {
      await goOn.raised;
      response.end();
    });
    await using proxy = await TestProxy.start(upstream.origin, { maxConcurrent: 1 });
    const first = proxy.get("/first");
    await until(() => upstream.requests.length === 1);
    const lost = proxy
      .open("/lost")
      .on("error", () => {})
      .end();
    await until(() => proxy.proxy.gate.queue?.depth === 1);
    lost.destroy();
    await until(() => proxy.proxy.gate.queue?.depth === 0);
    goOn.raise();
    await first;
    expect(upstream.requests.map(({ url }) => url)).toEqual(["/first"]);
    expect(proxy.proxy.gate.metrics).toMatchObject({ admitted: 1, abandoned: 1 });
    expect(proxy.errors).toEqual([]);
  });

  test("a client that breaks off its body frees its slot", async () => {
    const reached = signal();
    await using upstream = await TestUpstream.start((request) => {
      request.on("error", () => {});
      request.once("data", () => reached.raise());
    });
    await using proxy = await TestProxy.start(upstream.origin, { maxConcurrent: 1 });
    const lost = proxy.open("/", { method: "POST", headers: { "content-length": 1000 } }).on("error", () => {});
    lost.write("half");
    await reached.raised;
    lost.destroy();
    await until(() => proxy.proxy.gate.metrics.active === 0);
  });

  test("after a storm of all of these nothing is at work, and the numbers add up", async () => {
    await using upstream = await TestUpstream.start((_, response) => void setTimeout(() => response.end("ok"), 2));
    await using proxy = await TestProxy.start(upstream.origin, { maxConcurrent: 5, queueDepth: 10 });
    const ends = await Promise.all(
      Array.from({ length: 300 }, async (_, i) => {
        const outgoing = proxy.open("/", { agent: false }).on("error", () => {});
        outgoing.end();
        if (i % 5 === 0) {
          setTimeout(() => outgoing.destroy(), i % 7);
          return new Promise<string>((resolve) => outgoing.once("close", () => resolve("left")));
        }
        return (await readAnswer(outgoing)).status;
      }),
    );
    const countOf = (end: number | string) => ends.filter((each) => each === end).length;
    expect(countOf(200) + countOf(503)).toBe(240);
    await until(() => proxy.proxy.gate.metrics.active === 0 && proxy.proxy.gate.metrics.waiting === 0);
    expect(proxy.proxy.gate.queue?.active).toBe(0);
    expect(countOf(200)).toBeGreaterThanOrEqual(5);
  });
});

describe("sluice serve: an upstream that fails", () => {
  test("is not there: 502, also where a body was coming, and the connection serves the next", async () => {
    const gone = await TestUpstream.start();
    const { origin } = gone;
    await gone[Symbol.asyncDispose]();
    await using proxy = await TestProxy.start(origin, { maxConcurrent: 1 });
    for (const body of [undefined, "body", "x".repeat(3_000_000)]) {
      const answer = await proxy.get("/", { method: "POST", ...(body !== undefined && { body }) });
      expect(answer).toMatchObject({ status: 502, headers: PROBLEM });
      expect(JSON.parse(answer.text)).toMatchObject({ type: "about:blank", title: "Bad Gateway", status: 502 });
      expect(answer.text).not.toContain(new URL(origin).port);
    }
  });

  test("hangs up, or answers what is not HTTP: 502", async () => {
    for (const word of ["", "SSH-2.0-x\r\n"]) {
      const server = createServer((socket) => void socket.on("error", () => {}).end(word));
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const address = server.address();
      await using proxy = await TestProxy.start(`http://127.0.0.1:${typeof address === "object" && address?.port}`);
      expect((await proxy.get("/")).status).toBe(502);
      server.close();
    }
  });

  test("does not begin its answer in time: 504, and the slot is free", async () => {
    await using upstream = await TestUpstream.start(() => {});
    await using proxy = await TestProxy.start(upstream.origin, { responseTimeout: 50, maxConcurrent: 1 });
    const answer = await proxy.get("/");
    expect(answer).toMatchObject({ status: 504, headers: PROBLEM });
    expect(JSON.parse(answer.text).title).toBe("Gateway Timeout");
    await until(() => proxy.proxy.gate.metrics.active === 0);
  });

  test("stops in the midst of its answer: the connection is cut", async () => {
    await using upstream = await TestUpstream.start((_, response) => void response.write("half"));
    await using proxy = await TestProxy.start(upstream.origin, { idleTimeout: 50 });
    await expect(proxy.get("/")).rejects.toThrow("aborted");
  });
});

describe("sluice serve: a client that stands still", () => {
  test("with its body: 408, and the upstream's request ends", async () => {
    const dropped = signal();
    await using upstream = await TestUpstream.start((request) => void request.on("error", () => dropped.raise()));
    await using proxy = await TestProxy.start(upstream.origin, { idleTimeout: 100 });
    const outgoing = proxy.open("/", { method: "POST", headers: { "content-length": 10 } });
    outgoing.write("half");
    expect(await readAnswer(outgoing)).toMatchObject({ status: 408, headers: PROBLEM });
    await dropped.raised;
    outgoing.destroy();
  });

  test("and does not take its answer: the connection is cut, and the slot is free", async () => {
    await using upstream = await TestUpstream.start((_, response) => void response.end(Buffer.alloc(30_000_000)));
    await using proxy = await TestProxy.start(upstream.origin, { idleTimeout: 100, maxConcurrent: 1 });
    const outgoing = proxy.open("/").end();
    await once(outgoing, "response");
    await until(() => proxy.proxy.gate.metrics.active === 0);
    outgoing.destroy();
  });

  test("because the upstream thinks is left alone", async () => {
    await using upstream = await TestUpstream.start(
      (_, response) => void setTimeout(() => response.end("thought"), 200),
    );
    await using proxy = await TestProxy.start(upstream.origin, { idleTimeout: 50 });
    expect((await proxy.get("/")).text).toBe("thought");
  });
});
