/**
 * When a response may be sent, and when it is over: sent, or with nobody there to read it.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { AbortSignalLike } from "@sluice/core";

/** A request of node:http, of the compatibility API of node:http2, or of a framework on top of them. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;

/** A response of node:http, of the compatibility API of node:http2, or of a framework on top of them. */
export type NodeResponse = ServerResponse | Http2ServerResponse;

/**
 * When it is the turn of a response to be sent; `undefined` for now, which it is unless its
 * request was pipelined and those before it on the connection are not answered yet.
 *
 * If such a request took a slot, it would keep it until they are answered, and they might
 * be waiting for that very slot. Nor would it be told that the connection ended, for its
 * response has none yet. Where the connection ends first, its turn never comes.
 */
export function turnOf(response: NodeResponse): Promise<void> | undefined {
  if (response.socket !== null || response.writableFinished) return undefined;
  return new Promise((resolve) => {
    response.once("socket", () => resolve());
  });
}

/** Whether the response is sent, or can no longer be. */
export function isOver(response: NodeResponse): boolean {
  return "stream" in response ? response.stream === undefined || response.stream.destroyed : response.destroyed;
}

/** Is raised when the response is over: an AbortSignal that costs nothing until someone waits. */
export class HangUp implements AbortSignalLike {
  readonly #response: NodeResponse;

  constructor(response: NodeResponse) {
    this.#response = response;
  }

  get aborted(): boolean {
    return isOver(this.#response);
  }

  get reason(): DOMException {
    return new DOMException("The client hung up.", "AbortError");
  }

  addEventListener(_type: "abort", listener: () => void): void {
    this.#response.once("close", listener);
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    this.#response.removeListener("close", listener);
  }
}
