/**
 * What is told to Prometheus. Labels have few values: whatever a client sends is none of them.
 *
 * @module
 */
import type { Gate, GateMetrics, RequestQueue } from "@sluice/http";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Failure } from "./exchange.js";
import type { UpstreamListener } from "./upstream.js";

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** The metrics of one proxy. */
export class ServeMetrics implements UpstreamListener {
  /** WebSockets that are open. */
  webSockets = 0;
  readonly #registry = new Registry();
  readonly #gate: Gate;
  readonly #wait: Histogram;
  readonly #latency: Histogram<"code">;
  readonly #failures: Counter<"reason">;

  constructor(gate: Gate) {
    this.#gate = gate;
    const registers = [this.#registry];
    this.#wait = new Histogram({
      name: "sluice_wait_seconds",
      help: "How long requests waited until they were let in or turned away: for the store and for a slot.",
      buckets: SECONDS,
      registers,
    });
    this.#latency = new Histogram({
      name: "sluice_upstream_seconds",
      help: "From passing a request on to the beginning of the upstream's answer.",
      labelNames: ["code"],
      buckets: SECONDS,
      registers,
    });
    this.#failures = new Counter({
      name: "sluice_upstream_failures_total",
      help: "Requests that the upstream did not answer, or not to the end.",
      labelNames: ["reason"],
      registers,
    });
    for (const reason of ["unreachable", "timeout"]) this.#failures.inc({ reason }, 0);
    this.#count();
    this.#measure();
  }

  /** A request was let in or turned away after so many seconds. */
  waited(seconds: number): void {
    this.#wait.observe(seconds);
  }

  answered(status: number, seconds: number): void {
    this.#latency.observe({ code: `${Math.floor(status / 100)}xx` }, seconds);
  }

  failed(reason: Exclude<Failure, "invalid">): void {
    this.#failures.inc({ reason });
  }

  /** The metrics in the text format, and its media type. */
  async text(): Promise<{ type: string; text: string }> {
    return { type: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  #count(): void {
    const gate = this.#gate;
    new Counter({
      name: "sluice_requests_total",
      help: "Requests by what became of them at the gate.",
      labelNames: ["outcome"],
      registers: [this.#registry],
      collect() {
        const { admitted, limited, overloaded, abandoned } = gate.metrics;
        this.reset();
        for (const [outcome, count] of Object.entries({ admitted, limited, overloaded, abandoned })) {
          this.inc({ outcome }, count);
        }
      },
    });
    this.#counter("sluice_store_errors_total", "How often the store failed.", (now) => now.rateLimit?.storeErrors ?? 0);
    this.#counter(
      "sluice_evicted_clients_total",
      "Clients that made room for others.",
      (now) => now.rateLimit?.evicted ?? 0,
    );
  }

  #measure(): void {
    this.#gauge("sluice_active_requests", "Requests that were let in and are not yet over.", (now) => now.active);
    this.#gauge("sluice_queue_depth", "Requests that wait for a slot.", (now) => now.waiting);
    this.#gauge(
      "sluice_queue_depth_limit",
      "How many may wait; 0 is any number, or no queue.",
      () => this.#gate.queue?.maxDepth ?? 0,
    );
    this.#gauge(
      "sluice_slots_limit",
      "How many may be at work; 0 is any number.",
      () => this.#gate.queue?.maxConcurrent ?? 0,
    );
    this.#gauge(
      "sluice_tracked_clients",
      "Clients kept in the memory of this process.",
      (now) => now.rateLimit?.tracked ?? 0,
    );
    this.#gauge("sluice_open_websockets", "WebSockets that are open.", () => this.webSockets);
    if (this.#gate.queue !== undefined) this.#measureQueue(this.#gate.queue);
  }

  #measureQueue(queue: RequestQueue): void {
    this.#gauge(
      "sluice_queue_longest_wait_seconds",
      "The longest that a request which got a slot waited for it, since the start.",
      () => queue.metrics.longestWait / 1000,
    );
    this.#gauge(
      "sluice_queue_rejection_rate",
      "Share of the requests that the queue refused, since the start: 0 to 1.",
      () => queue.metrics.rejectionRate,
    );
  }

  #gauge(name: string, help: string, read: (now: GateMetrics) => number): void {
    const gate = this.#gate;
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.set(read(gate.metrics));
      },
    });
  }

  #counter(name: string, help: string, read: (now: GateMetrics) => number): void {
    const gate = this.#gate;
    new Counter({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.reset();
        this.inc(read(gate.metrics));
      },
    });
  }
}
