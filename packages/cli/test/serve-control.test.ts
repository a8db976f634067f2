import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { signal, TestProxy, TestUpstream, until } from "./serve-harness.js";

/** The samples of a text in the format of Prometheus, by name and labels; throws for a line that is none. */
function parseMetrics(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  const typed = new Set<string>();
  for (const line of text.split("\n").filter((line) => line !== "")) {
    const [, name] = /^# TYPE (\w+) (?:counter|gauge|histogram)$/.exec(line) ?? [];
    if (name !== undefined) typed.add(name);
    if (line.startsWith("#")) continue;
    const [, metric = "", labels = "", value = ""] = /^([a-z_]+)(\{(?:[a-z]+="[^"\\]*",?)+\})? (\S+)$/.exec(line) ?? [];
    if (!typed.has(metric.replace(/_(bucket|sum|count)$/, "")) && !typed.has(metric)) throw new Error(line);
    samples.set(metric + labels, Number(value));
  }
  return samples;
}

describe("sluice serve: /metrics", () => {
  test("counts decisions by outcome, and how long the upstream took", async () => {
    await using upstream = await TestUpstream.start((_, response) => response.writeHead(404).end());
    await using proxy = await TestProxy.start(upstream.origin, { rate: "2/h", maxConcurrent: 64 });
    for (let i = 0; i < 5; i++) await proxy.get("/");
    const answer = await proxy.get("/metrics");
    expect(answer.headers["content-type"]).toContain("text/plain; version=0.0.4");
    const samples = parseMetrics(answer.text);
    expect(samples.get('sluice_requests_total{outcome="admitted"}')).toBe(2);
    expect(samples.get('sluice_requests_total{outcome="limited"}')).toBe(3);
    expect(samples.get('sluice_requests_total{outcome="overloaded"}')).toBe(0);
    expect(samples.get("sluice_tracked_clients")).toBe(1);
    expect(samples.get("sluice_slots_limit")).toBe(64);
    expect(samples.get("sluice_active_requests")).toBe(0);
    expect(samples.get("sluice_wait_seconds_count")).toBe(5);
    expect(samples.get('sluice_upstream_seconds_count{code="4xx"}')).toBe(2);
    expect(samples.get('sluice_upstream_seconds_bucket{le="+Inf",code="4xx"}')).toBe(2);
  });

  test("tells how long the longest wait was, and what share of requests the queue refused", async () => {
    const goOn = signal();
    await using upstream = await TestUpstream.start(async (_, response) => {
      await goOn.raised;
      response.end();
    });
    await using proxy = await TestProxy.start(upstream.origin, { maxConcurrent: 1, queueDepth: 1 });
    const served = [proxy.get("/"), proxy.get("/")];
    await until(() => proxy.proxy.gate.metrics.waiting === 1);
    const start = performance.now();
    await proxy.get("/");
    goOn.raise();
    await Promise.all(served);
    const samples = parseMetrics((await proxy.get("/metrics")).text);
    expect(samples.get("sluice_queue_rejection_rate")).toBeCloseTo(1 / 3);
    expect(samples.get("sluice_queue_longest_wait_seconds")).toBeGreaterThan(0);
    expect(samples.get("sluice_queue_longest_wait_seconds")).toBeLessThan(1 + (performance.now() - start) / 1000);
    await using unbounded = await TestProxy.start(upstream.origin);
    expect((await unbounded.get("/metrics")).text).not.toMatch(/^sluice_queue_rejection_rate/m);
  });

  test("counts what the upstream did not answer", async () => {
    await using proxy = await TestProxy.start("http://127.0.0.1:9");
    await proxy.get("/");
    const samples = parseMetrics((await proxy.get("/metrics")).text);
    expect(samples.get('sluice_upstream_failures_total{reason="unreachable"}')).toBe(1);
    expect(samples.get('sluice_upstream_failures_total{reason="timeout"}')).toBe(0);
  });

  test("never tells who a client is, nor what it asked for", async () => {
    await using upstream = await TestUpstream.start();
    await using proxy = await TestProxy.start(upstream.origin, { rate: "1/h", key: "header:x-api-key" });
    for (let i = 0; i < 2; i++) await proxy.get("/private", { headers: { "x-api-key": "sesame" } });
    expect((await proxy.get("/metrics")).text).not.toMatch(/sesame|private|127\.0\.0\.1/);
  });
});

describe("sluice serve: /healthz", () => {
  test("answers without the upstream and outside the limits", async () => {
    await using proxy = await TestProxy.start("http://127.0.0.1:9", { rate: "1/h" });
    for (let i = 0; i < 3; i++) {
      const answer = await proxy.get("/healthz");
      expect(answer).toMatchObject({
        status: 200,
        text: '{"status":"ok"}\n',
        headers: { "cache-control": "no-store" },
      });
    }
    expect(await proxy.get("/healthz", { method: "HEAD" })).toMatchObject({ status: 200, text: "" });
  });

  test("is no other path, and no other method", async () => {
    await using upstream = await TestUpstream.start();
    await using proxy = await TestProxy.start(upstream.origin);
    for (const path of ["/healthz/deep", "/metricsx"]) expect((await proxy.get(path)).text).toBe("hello");
    expect((await proxy.get("/healthz", { method: "POST" })).text).toBe("hello");
  });

  test("--admin-port moves both to a port of their own", async () => {
    const free = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => free.once("listening", resolve));
    const address = free.address();
    const adminPort = typeof address === "object" && address !== null ? address.port : 0;
    await new Promise((resolve) => free.close(resolve));
    await using upstream = await TestUpstream.start();
    await using proxy = await TestProxy.start(upstream.origin, { adminPort });
    expect((await proxy.get("/healthz")).text).toBe("hello");
    expect((await proxy.get("/healthz", { port: adminPort })).text).toContain("ok");
    expect((await proxy.get("/metrics", { port: adminPort })).text).toContain("sluice_requests_total");
    expect((await proxy.get("/", { port: adminPort })).status).toBe(404);
  });
});
