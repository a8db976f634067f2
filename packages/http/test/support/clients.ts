/**
 * Clients that behave as badly as real ones.
 *
 * @module
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import autocannon from "autocannon";

/** Waits for what is about to happen on a socket. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

/** A client that writes what it likes, and hangs up when it likes. */
export class RawClient {
  readonly #socket: Socket;
  #received = "";

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.#received += text;
    });
    socket.on("error", () => {});
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new RawClient(socket);
  }

  /** The statuses received, in order. */
  get statuses(): number[] {
    return [...this.#received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
  }

  /** Sends GETs, all in one piece. */
  get(...paths: string[]): this {
    this.#socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`).join(""));
    return this;
  }

  /** Announces a body of 100 bytes, and sends half of it. */
  postHalf(path: string): this {
    this.#socket.write(`POST ${path} HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n${"x".repeat(50)}`);
    return this;
  }

  hangUp(): void {
    this.#socket.destroy();
  }
}

/** Sends so many requests over so many connections, and counts the statuses of the answers. */
export async function storm(url: string, amount: number, connections: number) {
  const { statusCodeStats = {}, errors } = await autocannon({ url, amount, connections });
  const counts = Object.entries(statusCodeStats).map(([status, { count = 0 }]) => [status, count] as const);
  return { statuses: Object.fromEntries(counts), errors };
}
