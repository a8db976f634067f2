import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { describe as describeValue, Limiter, ManualClock, withFallback, withObserver } from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import { metricsListener, observeWaiters } from "@sluice/otel";
import { describe, expect, test } from "vitest";
import { MapRemoteBucket } from "../../../test/conformance/map-remote-bucket.js";

/** A meter, and what Prometheus reads of it over HTTP: the lines of Sluice, without those of the exporter itself. */
async function open() {
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({ readers: [exporter] });
  const server = createServer((request, response) => exporter.getMetricsRequestHandler(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const scrape = async () => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    return text.split("\n").filter((line) => line.startsWith("sluice_"));
  };
  const close = async () => {
    server.close();
    await provider.shutdown();
  };
  return { meter: provider.getMeter("test"), scrape, [Symbol.asyncDispose]: close };
}

/** The value of the line with this name and these attributes. */
function value(lines: readonly string[], name: string, attributes: Record<string, string>): number | undefined {
  const wanted = Object.entries(attributes).map(([key, text]) => `${key}="${text}"`);
  const line = lines.find((text) => text.startsWith(`${name}{`) && wanted.every((part) => text.includes(part)));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(" ")));
}

describe("metricsListener()", () => {
  test("counts decisions by outcome and measures how long the store took, and tells no key", async () => {
    await using otel = await open();
    const bucket = withObserver(
      new InMemoryBucket("2/min"),
      metricsListener({ limiter: "sign-in", meter: otel.meter }),
    );
    for (let i = 0; i < 5; i++) bucket.tryPut("ada@example.org");
    bucket.refund({ key: "ada@example.org" });
    const lines = await otel.scrape();
    const of = { sluice_limiter: "sign-in", sluice_operation: "put", sluice_degraded: "false" };
    expect(value(lines, "sluice_decisions_total", { ...of, sluice_outcome: "allowed" })).toBe(2);
    expect(value(lines, "sluice_decisions_total", { ...of, sluice_outcome: "refused" })).toBe(3);
    expect(value(lines, "sluice_operation_duration_count", { sluice_operation: "put" })).toBe(5);
    expect(value(lines, "sluice_operation_duration_count", { sluice_operation: "refund" })).toBe(1);
    expect(value(lines, "sluice_operation_duration_sum", { sluice_operation: "put" })).toBeLessThan(1);
    expect(lines.join("\n")).not.toContain("ada");
  });

  test("says what it lacks to be made", () => {
    const way = 'Name what is limited, as in metricsListener({ limiter: "sign-in" }).';
    for (const options of [undefined, null, "sign-in"]) {
      expect(() => metricsListener(options as never)).toThrow(
        new TypeError(`Cannot measure with ${describeValue(options)}: it is not options. ${way}`),
      );
    }
    expect(() => metricsListener({} as never)).toThrow(
      new TypeError(`Cannot use undefined as limiter: it is a text. ${way}`),
    );
    expect(() => metricsListener({ limiter: "api", keyAttribute: "key" as never })).toThrow(
      new TypeError('Cannot use "key" as keyAttribute: it is a function of the key. Leave it out, or pass one.'),
    );
  });

  test("tells what it is asked to tell of a key", async () => {
    await using otel = await open();
    const keyAttribute = (key: string) => key.split(":")[0] ?? "";
    const listener = metricsListener({ limiter: "api", meter: otel.meter, keyAttribute });
    const bucket = withObserver(new InMemoryBucket("9/min"), listener);
    bucket.putMany([{ key: "free:ada" }, { key: "free:bob" }, { key: "paid:eve" }]);
    const lines = await otel.scrape();
    expect(value(lines, "sluice_decisions_total", { sluice_key: "free" })).toBe(2);
    expect(value(lines, "sluice_decisions_total", { sluice_key: "paid" })).toBe(1);
  });

  test("counts errors by their code, degraded decisions and evictions", async () => {
    await using otel = await open();
    const listener = metricsListener({ limiter: "api", meter: otel.meter });
    const away = new MapRemoteBucket("9/min");
    away.travel = () => Promise.reject(new Error("away"));
    await expect(withObserver(away, listener).put({ key: "ada" })).rejects.toThrow("away");
    await withObserver(withFallback(away, "open"), listener).put({ key: "ada" });
    withObserver(new InMemoryBucket("9/min", { maxKeys: 1 }), listener).putMany([{ key: "a" }, { key: "b" }]);
    const lines = await otel.scrape();
    expect(value(lines, "sluice_operation_duration_count", { error_type: "STORE" })).toBe(1);
    expect(value(lines, "sluice_decisions_total", { sluice_degraded: "true" })).toBe(1);
    expect(value(lines, "sluice_evictions_total", { sluice_limiter: "api" })).toBe(1);
  });
});

describe("observeWaiters()", () => {
  test("measures how many wait, until it is ended", async () => {
    await using otel = await open();
    const clock = new ManualClock();
    const limiter = new Limiter(new InMemoryBucket("1/min", { clock }), { name: "mail" });
    const end = observeWaiters(limiter, otel.meter);
    const waiting = ["ada", "ada", "ada", "bob", "bob"].map((key) => limiter.acquire(key));
    expect(limiter.waiting).toBe(3);
    expect(value(await otel.scrape(), "sluice_waiters", { sluice_limiter: "mail" })).toBe(3);
    clock.advance(120_000);
    await Promise.all(waiting);
    expect(value(await otel.scrape(), "sluice_waiters", { sluice_limiter: "mail" })).toBe(0);
    end();
    const late = limiter.acquire("ada");
    expect([limiter.waiting, value(await otel.scrape(), "sluice_waiters", {})]).toEqual([1, 0]);
    clock.advance(60_000);
    await late;
  });
});
