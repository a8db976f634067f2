import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** The connections of clients, and the responses that are under way on each. */
export class Connections {
  readonly #responses = new Map<Socket, Set<ServerResponse>>();
  #isClosing = false;

  constructor(server: Server) {
    server.on("connection", (socket) => {
      this.#responses.set(socket, new Set());
      socket.once("close", () => this.#responses.delete(socket));
    });
  }

  /** A request came; its response may have to wait for its turn. */
  begin(socket: Socket, response: ServerResponse): void {
    if (this.#isClosing) response.shouldKeepAlive = false;
    const responses = this.#responses.get(socket);
    if (responses === undefined) return;
    responses.add(response);
    response.once("close", () => {
      responses.delete(response);
      if (this.#isClosing) this.#closeIdle();
    });
  }

  /** Closes those on which nothing is under way, and each other one after its last response. */
  close(): void {
    this.#isClosing = true;
    for (const responses of this.#responses.values()) {
      // Those before the last one would take the others with them.
      const last = [...responses].at(-1);
      if (last !== undefined) last.shouldKeepAlive = false;
    }
    this.#closeIdle();
  }

  /** Breaks all of them off, those too that HTTP has let go of. */
  destroy(): void {
    for (const socket of this.#responses.keys()) socket.destroy();
  }

  #closeIdle(): void {
    // What has arrived by now is read first.
    setImmediate(() => {
      for (const [socket, responses] of this.#responses) if (responses.size === 0) socket.destroySoon();
    });
  }
}
