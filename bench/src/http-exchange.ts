/**
 * Requests and responses of Node, as a server makes them, on connections that lead nowhere.
 *
 * @module
 */
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";

/** A request and the response to it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: Answer;
}

/** A response that is over as soon as it is ended. */
export class Answer extends ServerResponse {
  onEnd = () => {};

  override end(chunk?: unknown, encoding?: unknown, done?: unknown): this {
    super.end(chunk, encoding as BufferEncoding, done as () => void);
    this.emit("finish");
    this.emit("close");
    this.onEnd();
    return this;
  }
}

/** How many clients ask in turn. */
export const CLIENTS = 1000;
/** How often each may ask in a minute where nobody is refused. */
export const ENOUGH = 60_000_000;

/** The address of a client, by its number. */
export const ADDRESSES = {
  IPv4: (client: number) => `10.0.${client >> 8}.${client & 255}`,
  "IPv4-mapped": (client: number) => `::ffff:10.0.${client >> 8}.${client & 255}`,
  IPv6: (client: number) => `2001:db8:${client.toString(16)}:1::1`,
} as const;

/** Makes one exchange after the other, for all clients in turn. */
export function exchanges(clients: number, addressOf: (client: number) => string): (count: number) => Exchange[] {
  const sockets = Array.from({ length: clients }, (_, client) => connectionFrom(addressOf(client)));
  let next = 0;
  return (count) => Array.from({ length: count }, () => exchangeOn(sockets[next++ % clients] as Socket));
}

function connectionFrom(address: string): Socket {
  return Object.defineProperty(new Socket(), "remoteAddress", { value: address });
}

function exchangeOn(socket: Socket): Exchange {
  const request = new IncomingMessage(socket);
  Object.assign(request, { method: "GET", url: "/", httpVersion: "1.1", headers: { host: "localhost" } });
  // Not assigned to it as a server does, lest the response be written.
  const response = Object.assign(new Answer(request), { socket });
  return { request, response };
}
