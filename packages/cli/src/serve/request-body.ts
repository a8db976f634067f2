import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";

/** Whether a request has a body, by its framing. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/**
 * The body of a request, as a stream of its own.
 *
 * Whoever sends it on may destroy it when that fails. The request itself then lives on:
 * what is left of its body is read and thrown away, and the client can still be answered,
 * on a connection that stays sound.
 */
export class RequestBody extends Readable {
  readonly #request: IncomingMessage;
  readonly #onData = (chunk: Buffer) => {
    if (!this.push(chunk)) this.#request.pause();
  };

  constructor(request: IncomingMessage) {
    super();
    this.#request = request;
    // Who destroys it knows why; who reads it is told by its own means.
    this.on("error", () => {});
    request.on("data", this.#onData).once("end", () => this.push(null));
    request.once("close", () => {
      if (!request.complete) this.destroy(new Error("The client hung up before its request was complete."));
    });
    request.pause();
  }

  override _read(): void {
    this.#request.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#request.off("data", this.#onData);
    this.#request.resume();
    callback(error);
  }
}
