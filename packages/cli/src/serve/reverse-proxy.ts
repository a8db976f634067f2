/**
 * The reverse proxy: a gate in front of an upstream.
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Gate, Passage } from "@sluice/http";
import { turnOf } from "@sluice/http/node";
import { sendProblem } from "./answers.js";
import { ClientRequest } from "./client-request.js";
import { Connections } from "./connections.js";
import { Control } from "./control.js";
import { HangUp } from "./hang-up.js";
import { listen } from "./listen.js";
import { ServeMetrics } from "./metrics.js";
import { refuse } from "./refuse.js";
import { endWhenStalled } from "./stalling.js";
import { Tunnel } from "./tunnel.js";
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
  /** How long the fields of a request may take to come; a minute when left out. */
  readonly headersTimeout?: number;
  /** Is told of errors that are not the upstream's. */
  readonly onError: (error: unknown) => void;
}

const HEADERS_TIMEOUT = 60_000;
/** How often Node looks for requests that take too long, where it is not told. */
const CHECK_EVERY = 30_000;

/** A reverse proxy. It closes the gate when it ends. */
export class ReverseProxy {
  readonly gate: Gate;
  readonly #options: ReverseProxyOptions;
  readonly #metrics: ServeMetrics;
  readonly #upstream: Upstream;
  readonly #control: Control;
  readonly #server: Server<typeof ClientRequest>;
  readonly #connections: Connections;
  readonly #admin: Server | undefined;
  #isDraining = false;

  constructor(gate: Gate, options: ReverseProxyOptions) {
    this.gate = gate;
    this.#options = options;
    this.#metrics = new ServeMetrics(gate);
    this.#upstream = new Upstream(options, this.#metrics);
    this.#control = new Control(this.#metrics, () => this.#isDraining);
    this.#server = this.#createServer();
    this.#connections = new Connections(this.#server);
    this.#admin = options.adminPort === undefined ? undefined : this.#createAdmin();
  }

  /**
   * Begins to serve, and gives the port.
   *
   * @throws UsageError for a port that is taken.
   */
  async listen(): Promise<number> {
    const { host, port, adminPort, sparePorts = 0 } = this.#options;
    if (this.#admin !== undefined && adminPort !== undefined) {
      await listen(this.#admin, { host, port: adminPort, option: "--admin-port" });
    }
    try {
      return await listen(this.#server, { host, port, spare: sparePorts });
    } catch (error) {
      this.#admin?.close();
      throw error;
    }
  }

  /** The port on which the proxy answers for itself, while it listens there. */
  get adminPort(): number | undefined {
    return (this.#admin?.address() as AddressInfo | null | undefined)?.port;
  }

  /** Stops accepting, lets what runs and what waits come to its end, and closes the gate. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#connections.close();
    await closed;
    await this.gate.close();
    this.#admin?.close();
    this.#admin?.closeAllConnections();
    await this.#upstream.close();
  }

  /** Breaks off all that still runs, so that a drain comes to its end. */
  async cut(): Promise<void> {
    this.#connections.destroy();
    this.#admin?.closeAllConnections();
    await this.#upstream.destroy();
  }

  /** How many connections are open. */
  connections(): Promise<number> {
    return new Promise((resolve) => this.#server.getConnections((_, count) => resolve(count ?? 0)));
  }

  #createServer(): Server<typeof ClientRequest> {
    const { idleTimeout, keepAlive, headersTimeout = HEADERS_TIMEOUT } = this.#options;
    const server = createServer({
      IncomingMessage: ClientRequest,
      // A whole request may take as long as it moves: what is bounded is how long it may stand still.
      requestTimeout: 0,
      headersTimeout,
      connectionsCheckingInterval: Math.min(headersTimeout, CHECK_EVERY),
      keepAliveTimeout: keepAlive,
      noDelay: true,
    });
    server.timeout = idleTimeout;
    // Node would drop those beyond a number without a word; their size stays bounded.
    server.maxHeadersCount = 0;
    const serve = (request: ClientRequest, response: ServerResponse) => this.#serve(request, response);
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

  #serve(request: ClientRequest, response: ServerResponse): void {
    this.#connections.begin(request.socket, response);
    // The parser takes what follows for another protocol.
    if (request.asksForUpgrade) response.shouldKeepAlive = false;
    if (this.#admin === undefined && this.#control.answer(request, response)) return;
    endWhenStalled(request, response);
    this.#enter(request, response, (passage) => this.#upstream.send(request, response, passage.fields));
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    socket.on("error", () => {});
    socket.setTimeout(0);
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    if (!assign(response, socket)) return;
    response.once("finish", () => socket.destroySoon());
    this.#connections.begin(socket, response);
    const tunnel = new Tunnel(socket, response, head);
    this.#enter(request, response, (passage) => {
      tunnel.onOpen = () => {
        // What is bounded is work, and an open WebSocket is none.
        passage.leave();
        this.#metrics.webSockets++;
        socket.once("close", () => this.#metrics.webSockets--);
      };
      this.#upstream.send(request, response, passage.fields, tunnel);
    });
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
    });
    const conclude = (passage: Passage) => {
      if (!passage.allowed) {
        refuse(request, response, passage);
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
    const fail = (error: unknown) => {
      if (hangUp.aborted) return;
      this.#options.onError(error);
      sendProblem(response, 500, "The proxy failed to decide about the request.");
    };
    const turn = turnOf(response);
    if (turn === undefined) this.#ask(request, hangUp, conclude, fail);
    else void turn.then(() => hangUp.aborted || this.#ask(request, hangUp, conclude, fail));
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
}

/** Lets a response have the connection; where another one has it, which could never end, the connection goes. */
function assign(response: ServerResponse, socket: Socket): boolean {
  try {
    response.assignSocket(socket);
    return true;
  } catch {
    socket.destroy();
    return false;
  }
}
