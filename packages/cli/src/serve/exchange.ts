import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import type { Field } from "@sluice/http";
import type { Dispatcher } from "undici";
import { responseFields } from "./response-fields.js";

/** Why an exchange with the upstream failed. */
export type Failure = "invalid" | "unreachable" | "timeout";

/** Who is told how an exchange went. */
export interface Watcher {
  /** The upstream began its answer. */
  answered(status: number): void;
  /** There is no answer to pass on, or no end of it; never called for a client that hung up. */
  failed(failure: Failure): void;
}

const TIMEOUTS: ReadonlySet<string> = new Set([
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "ETIMEDOUT",
]);

/** Why an exchange is given up: one for all, since nobody looks at where it was made. */
const HUNG_UP = new Error("The client hung up.");

/** Passes the answer of the upstream on to the client, as fast as the client takes it. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;
  readonly #told: readonly Field[];
  readonly #watcher: Watcher;
  #controller: Dispatcher.DispatchController | undefined;
  #isGivenUp = false;

  /** @param told Fields for the answer, beside those of the upstream. */
  constructor(response: ServerResponse, told: readonly Field[], watcher: Watcher) {
    this.#response = response;
    this.#told = told;
    this.#watcher = watcher;
  }

  /** The client hung up: the upstream need not go on. */
  giveUp(): void {
    this.#isGivenUp = true;
    this.#controller?.abort(HUNG_UP);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isGivenUp) this.giveUp();
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // Interim answers are between the upstream and this proxy.
    if (status < 200) return;
    this.#watcher.answered(status);
    const response = this.#response;
    response.writeHead(status, responseFields(headers, this.#told));
    // Most often the body came along, and goes out with the fields; else these must not wait for it.
    process.nextTick(() => {
      if (!response.writableEnded && !response.destroyed) response.flushHeaders();
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#response.write(chunk)) return;
    controller.pause();
    this.#response.once("drain", () => controller.resume());
  }

  onResponseEnd(): void {
    this.#response.end();
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, error: Error): void {
    if (this.#isGivenUp || this.#response.destroyed) return;
    // Half an answer must not look like a whole one.
    if (this.#response.headersSent) this.#response.destroy();
    this.#watcher.failed(failureOf(error));
  }
}

function failureOf({ code = "" }: NodeJS.ErrnoException): Failure {
  if (TIMEOUTS.has(code)) return "timeout";
  return code === "UND_ERR_INVALID_ARG" ? "invalid" : "unreachable";
}
