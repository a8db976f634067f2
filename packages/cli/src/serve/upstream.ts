import type { IncomingMessage, ServerResponse } from "node:http";
import type { Field } from "@sluice/http";
import { Pool } from "undici";
import { sendProblem } from "./answers.js";
import { Exchange, type Failure } from "./exchange.js";
import { hasBody, RequestBody } from "./request-body.js";
import { type FieldsFor, type ForwardOptions, requestFields } from "./request-fields.js";
import { readTarget } from "./request-target.js";
import type { Tunnel } from "./tunnel.js";

/** How the upstream is reached; times are milliseconds, 0 is any time. */
export interface UpstreamOptions extends Omit<ForwardOptions, "host"> {
  readonly origin: URL;
  readonly hostHeader: "client" | "upstream";
  readonly connectTimeout: number;
  readonly responseTimeout: number;
  readonly idleTimeout: number;
}

/** Is told how long the upstream took, in seconds, and what went wrong. */
export interface UpstreamListener {
  /** The upstream began its answer. */
  answered(status: number, seconds: number): void;
  /** The upstream did not answer, or not to the end. */
  failed(failure: Exclude<Failure, "invalid">): void;
}

const PROBLEMS: Readonly<Record<Failure, readonly [status: number, detail: string]>> = {
  invalid: [400, "The request cannot be passed on to the upstream server."],
  unreachable: [502, "The upstream server cannot be reached, or broke off."],
  timeout: [504, "The upstream server did not answer in time."],
};

/** The server behind the proxy. */
export class Upstream {
  readonly #pool: Pool;
  readonly #fieldsFor: FieldsFor;
  readonly #listener: UpstreamListener;

  constructor(options: UpstreamOptions, listener: UpstreamListener) {
    const { origin, trusted, hostHeader, connectTimeout, responseTimeout, idleTimeout } = options;
    this.#pool = new Pool(origin.origin, {
      headersTimeout: responseTimeout,
      bodyTimeout: idleTimeout,
      connect: { timeout: connectTimeout },
    });
    this.#fieldsFor = requestFields({ trusted, host: hostHeader === "upstream" ? origin.host : undefined });
    this.#listener = listener;
  }

  /**
   * Passes a request on, and its answer back.
   *
   * @param told Fields for the answer.
   * @param tunnel What becomes of the connection when the upstream agrees to a WebSocket.
   */
  send(request: IncomingMessage, response: ServerResponse, told: readonly Field[], tunnel?: Tunnel): void {
    const target = readTarget(request.url);
    if (target === undefined) {
      sendProblem(response, 400, "A request names a path that begins with a slash, or a whole http URL.", told);
      return;
    }
    const start = performance.now();
    const watcher = {
      answered: (status: number) => this.#listener.answered(status, (performance.now() - start) / 1000),
      failed: (failure: Failure) => this.#fail(response, failure, told),
    };
    const exchange = tunnel?.through(told, watcher) ?? new Exchange(response, told, watcher);
    response.once("close", () => {
      // Also where the client was answered before it had sent all: the upstream need not wait for the rest.
      if (!response.writableFinished || !request.complete) exchange.giveUp();
    });
    this.#pool.dispatch(
      {
        path: target.path,
        method: request.method ?? "GET",
        headers: this.#fieldsFor(request, target.host),
        body: hasBody(request) ? new RequestBody(request) : null,
        ...(tunnel !== undefined && { upgrade: "websocket" }),
      },
      exchange,
    );
  }

  /** Lets go of the connections, which nobody uses any more. */
  async close(): Promise<void> {
    if (!this.#pool.destroyed) await this.#pool.close();
  }

  /** Breaks all connections off. */
  destroy(): Promise<void> {
    return this.#pool.destroy();
  }

  #fail(response: ServerResponse, failure: Failure, told: readonly Field[]): void {
    if (failure !== "invalid") this.#listener.failed(failure);
    const [status, detail] = PROBLEMS[failure];
    sendProblem(response, status, detail, told);
  }
}
