/**
 * The reverse proxy: a gate in front of an upstream.
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Gate, Passage } from "@sluice/http";
import { sendAnswer, sendProblem } from "./answers.js";
import { Control } from "./control.js";
import { HangUp } from "./hang-up.js";
import { listen } from "./listen.js";
import { ServeMetrics } from "./metrics.js";
import { hasBody } from "./request-body.js";
import { endWhenStalled } from "./stalling.js";
import { asksForWebSocket, Tunnel } from "./tunnel.js";
import { Upstream, type UpstreamOptions } from "./upstream.js";

/** How the proxy serves; times are milliseconds. */
export interface ReverseProxyOptions extends UpstreamOptions {
  readonly host: string | undefined;
  readonly port: number;
  /** How many ports behind it to try as well, when it is taken. */
  readonly sparePorts?: number;
  /** Where the proxy answers for itself; among the requests when left out. */
  readonly adminPort: number | undefined;
  readonly keepAlive: number;
  /** Is told of errors that are not the upstream's. */
  readonly onError: (error: unknown) => void;
}

/** A reverse proxy. It closes the gate when it ends. */
export class ReverseProxy {
  readonly gate: Gate;
  readonly #options: ReverseProxyOptions;
  readonly #metrics: ServeMetrics;
  readonly #upstream: Upstream;
  readonly #control: Control;
  readonly #server: Server;
  readonly #admin: Server | undefined;
  /** Connections that HTTP has let go of. */
  readonly #tunnels = new Set<Socket>();
  #isDraining = false;

  constructor(gate: Gate, options: ReverseProxyOptions) {
    this.gate = gate;
    this.#options = options;
    this.#metrics = new ServeMetrics(gate);
    this.#upstream = new Upstream(options, this.#metrics);
    this.#control = new Control(this.#metrics, () => this.#isDraining);
    this.#server = this.#createServer();
    this.#admin = options.adminPort === undefined ? undefined : this.#createAdmin();
  }

  /**
   * Begins to serve, and gives the port.
   *
   * @throws UsageError for a port that is taken.
   */
  async listen(): Promise<number> {
    const { host, port, adminPort, sparePorts = 0 } = this.#options;
    if (this.#admin !== undefined && adminPort !== undefined) await listen(this.#admin, { host, port: adminPort });
    try {
      return await listen(this.#server, { host, port, spare: sparePorts });
    } catch (error) {
      this.#admin?.close();
      throw error;
    }
  }

  /** Stops accepting, lets what runs and what waits come to its end, and closes the gate. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await this.gate.close();
    this.#admin?.close();
    this.#admin?.closeAllConnections();
    await this.#upstream.close();
  }

  /** Breaks off all that still runs, so that a drain comes to its end. */
  async cut(): Promise<void> {
    this.#server.closeAllConnections();
    this.#admin?.closeAllConnections();
    for (const socket of this.#tunnels) socket.destroy();
    await this.#upstream.destroy();
  }

  /** How many connections are open. */
  connections(): Promise<number> {
    return new Promise((resolve) => this.#server.getConnections((_, count) => resolve(count ?? 0)));
  }

  #createServer(): Server {
    const { idleTimeout, keepAlive } = this.#options;
    // A whole request may take as long as it moves: what is bounded is how long it may stand still.
    const server = createServer({ requestTimeout: 0, keepAliveTimeout: keepAlive, noDelay: true });
    server.timeout = idleTimeout;
    const serve = (request: IncomingMessage, response: ServerResponse) => this.#serve(request, response);
    server.on("request", serve);
    // Whoever asks before sending a body is turned away before it is sent.
    server.on("checkContinue", serve);
    server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket as Socket, head));
    return server;
  }

  #createAdmin(): Server {
    return createServer((request, response) => {
      if (!this.#control.answer(request, response)) sendProblem(response, 404, "There are /healthz and /metrics here.");
    });
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    if (this.#isDraining) response.shouldKeepAlive = false;
    if (this.#admin === undefined && this.#control.answer(request, response)) return;
    endWhenStalled(request, response);
    this.#enter(request, response, (passage) => this.#upstream.send(request, response, passage.fields));
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    this.#tunnels.add(socket);
    socket.once("close", () => this.#tunnels.delete(socket));
    socket.on("error", () => {});
    socket.setTimeout(0);
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.once("finish", () => socket.destroySoon());
    if (!asksForWebSocket(request)) {
      this.#serveInstead(request, response);
      return;
    }
    this.#enter(request, response, (passage) => {
      const tunnel = new Tunnel(socket, head, () => {
        // What is bounded is work, and an open WebSocket is none.
        passage.leave();
        this.#metrics.webSockets++;
        socket.once("close", () => this.#metrics.webSockets--);
      });
      this.#upstream.send(request, response, passage.fields, tunnel);
    });
  }

  /** An upgrade that is not offered is no reason not to answer. */
  #serveInstead(request: IncomingMessage, response: ServerResponse): void {
    if (hasBody(request)) sendProblem(response, 400, "A request with a body cannot be upgraded.");
    else this.#serve(request, response);
  }

  /** Takes a request through the gate, and leaves it when the answer is out or the client is gone. */
  #enter(
    request: IncomingMessage,
    response: ServerResponse,
    onEntered: (passage: Extract<Passage, { allowed: true }>) => void,
  ): void {
    const hangUp = new HangUp();
    let leave = () => {};
    response.once("close", () => {
      hangUp.raise();
      leave();
      if (this.#isDraining) setImmediate(() => this.#server.closeIdleConnections());
    });
    const conclude = (passage: Passage) => {
      if (!passage.allowed) {
        this.#refuse(request, response, passage);
        return;
      }
      leave = () => passage.leave();
      if (hangUp.aborted) {
        passage.leave();
        return;
      }
      if (request.headers.expect !== undefined) response.writeContinue();
      onEntered(passage);
    };
    this.#ask(request, hangUp, conclude, (error) => {
      if (hangUp.aborted) return;
      this.#options.onError(error);
      sendProblem(response, 500, "The proxy failed to decide about the request.");
    });
  }

  #ask(
    request: IncomingMessage,
    hangUp: HangUp,
    conclude: (passage: Passage) => void,
    fail: (error: unknown) => void,
  ): void {
    let passage: Passage | Promise<Passage>;
    try {
      passage = this.gate.enter(request, hangUp);
    } catch (error) {
      fail(error);
      return;
    }
    if (!(passage instanceof Promise)) {
      this.#metrics.waited(0);
      conclude(passage);
      return;
    }
    const start = performance.now();
    passage
      .then((entered) => {
        this.#metrics.waited((performance.now() - start) / 1000);
        conclude(entered);
      })
      .catch(fail);
  }

  #refuse(request: IncomingMessage, response: ServerResponse, passage: Extract<Passage, { allowed: false }>): void {
    // The client may send the body that it announced, or may not.
    if (request.headers.expect !== undefined) response.shouldKeepAlive = false;
    sendAnswer(response, passage);
  }
}
