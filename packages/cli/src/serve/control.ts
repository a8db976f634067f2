import type { IncomingMessage, ServerResponse } from "node:http";
import { send } from "./answers.js";
import type { ServeMetrics } from "./metrics.js";

/** Answers what is asked of the proxy itself: `/healthz` and `/metrics`. */
export class Control {
  readonly #metrics: ServeMetrics;
  readonly #isDraining: () => boolean;

  constructor(metrics: ServeMetrics, isDraining: () => boolean) {
    this.#metrics = metrics;
    this.#isDraining = isDraining;
  }

  /** Answers a request, if it is for the proxy itself; says whether it was. */
  answer({ method, url = "" }: IncomingMessage, response: ServerResponse): boolean {
    if ((method !== "GET" && method !== "HEAD") || (!url.startsWith("/healthz") && !url.startsWith("/metrics"))) {
      return false;
    }
    const path = url.split("?", 1)[0];
    if (path === "/healthz") {
      const [status, text] = this.#isDraining() ? ([503, "draining"] as const) : ([200, "ok"] as const);
      send(response, status, "application/json", `{"status":"${text}"}\n`, [["Cache-Control", "no-store"]]);
      return true;
    }
    if (path !== "/metrics") return false;
    this.#metrics.text().then(
      ({ type, text }) => send(response, 200, type, text),
      () => response.destroy(),
    );
    return true;
  }
}
