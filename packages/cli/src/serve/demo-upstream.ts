import { createServer, type Server } from "node:http";
import { listen } from "./listen.js";

/** Milliseconds that the demo takes for an answer, and for one under `/slow`. */
const QUICK = 20;
const SLOW = 1000;

/** A small server for `sluice serve --demo`: it tells what it was asked, after a while. */
export class DemoUpstream {
  readonly #server: Server = createServer((request, response) => {
    const { method, url = "", headers } = request;
    request.resume();
    setTimeout(
      () => {
        const answer = { upstream: "sluice demo", method, path: url, forwardedFor: headers["x-forwarded-for"] };
        response.setHeader("Content-Type", "application/json");
        response.end(`${JSON.stringify(answer)}\n`);
      },
      url.startsWith("/slow") ? SLOW : QUICK,
    );
  });

  /** Begins to serve, on a free port of this machine; gives its origin. */
  async start(): Promise<URL> {
    const port = await listen(this.#server, { host: "127.0.0.1", port: 0 });
    return new URL(`http://127.0.0.1:${port}`);
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
