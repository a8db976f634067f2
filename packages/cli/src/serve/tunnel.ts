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

/** A client's connection that may become a WebSocket. */
export class Tunnel {
  readonly #client: Socket;
  readonly #head: Buffer;
  readonly #onOpen: () => void;

  /**
   * @param head What the client sent behind its request.
   * @param onOpen Is told that the upstream agreed.
   */
  constructor(client: Socket, head: Buffer, onOpen: () => void) {
    this.#client = client;
    this.#head = head;
    this.#onOpen = onOpen;
  }

  /** An exchange that may end in the tunnel; until then it is as any other. */
  through(response: ServerResponse, told: readonly Field[], watcher: Watcher): Exchange {
    return new Handshake(response, told, watcher, this);
  }

  /** Joins the two connections. */
  open(upstream: Duplex): void {
    const client = this.#client;
    client.setKeepAlive(true, PROBE_AFTER);
    client.once("close", () => upstream.destroy());
    upstream.once("close", () => client.destroySoon());
    upstream.on("error", () => client.destroy());
    if (this.#head.length > 0) upstream.write(this.#head);
    client.pipe(upstream).pipe(client);
    // Whoever hung up meanwhile has had its say.
    if (client.destroyed) upstream.destroy();
    this.#onOpen();
  }

  /** Gives the connection back from HTTP. */
  release(response: ServerResponse): void {
    response.detachSocket(this.#client);
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
    this.tunnel.release(this.response);
    this.tunnel.open(upstream);
  }
}
