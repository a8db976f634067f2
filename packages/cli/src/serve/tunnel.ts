/**
 * WebSockets: once the upstream agrees, bytes go both ways until one side closes.
 *
 * @module
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Field } from "@sluice/http";
import type { Dispatcher } from "undici";
import { Exchange, type Watcher } from "./exchange.js";
import { responseFields } from "./response-fields.js";

/** Milliseconds after which a silent peer is asked whether it is still there. */
const PROBE_AFTER = 60_000;

/** Whether a request asks for a WebSocket. Other upgrades, such as to h2c, would lead around the limits. */
export function asksForWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === "GET" && headers.upgrade?.toLowerCase() === "websocket";
}

/** Bytes that a client may send before the upstream agrees; what is beyond them stays with it. */
const MOST_EARLY = 64 * 1024;

/**
 * A client's connection that may become a WebSocket.
 *
 * HTTP has let go of it. Until the upstream agrees it is read here, for only who reads a
 * connection is told that the client hung up.
 */
export class Tunnel {
  /** Is told that the upstream agreed. */
  onOpen: () => void = () => {};
  readonly #client: Socket;
  readonly #response: ServerResponse;
  readonly #early: Buffer[];
  #earlyLength: number;
  readonly #onData = (chunk: Buffer) => {
    this.#early.push(chunk);
    this.#earlyLength += chunk.length;
    if (this.#earlyLength >= MOST_EARLY) this.#client.pause();
  };
  // Nobody who wants a WebSocket stops sending before there is one.
  readonly #onEnd = () => void this.#client.destroy();
  readonly #onDrain = () => void this.#response.emit("drain");

  /**
   * @param response What answers the handshake, on the client's connection.
   * @param head What the client sent behind its request.
   */
  constructor(client: Socket, response: ServerResponse, head: Buffer) {
    this.#client = client;
    this.#response = response;
    this.#early = [head];
    this.#earlyLength = head.length;
    client.on("data", this.#onData).on("end", this.#onEnd).on("drain", this.#onDrain);
  }

  /** An exchange that may end in the tunnel; until then it is as any other. */
  through(told: readonly Field[], watcher: Watcher): Exchange {
    return new Handshake(this.#response, told, watcher, this);
  }

  /** Takes the connection from HTTP, and joins the two. */
  open(upstream: Duplex): void {
    const client = this.#client;
    this.#response.detachSocket(client);
    client.off("data", this.#onData).off("end", this.#onEnd).off("drain", this.#onDrain);
    client.setKeepAlive(true, PROBE_AFTER);
    client.once("close", () => upstream.destroy());
    upstream.once("close", () => client.destroySoon());
    upstream.on("error", () => client.destroy());
    for (const chunk of this.#early.splice(0)) if (chunk.length > 0) upstream.write(chunk);
    client.pipe(upstream).pipe(client);
    // Whoever hung up meanwhile has had its say.
    if (client.destroyed) upstream.destroy();
    this.onOpen();
  }
}

class Handshake extends Exchange {
  constructor(
    readonly response: ServerResponse,
    readonly told: readonly Field[],
    readonly watcher: Watcher,
    readonly tunnel: Tunnel,
  ) {
    super(response, told, watcher);
  }

  onRequestUpgrade(
    _: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    upstream: Duplex,
  ): void {
    this.watcher.answered(status);
    const fields = responseFields(headers, this.told);
    fields.push("Connection", "Upgrade", "Upgrade", headers.upgrade ?? "websocket");
    this.response.writeHead(status, fields);
    this.response.flushHeaders();
    this.tunnel.open(upstream);
  }
}
