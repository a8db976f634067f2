import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** What came of a load. */
export interface Load {
  readonly answers: number;
  readonly seconds: number;
  /** How many answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
}

const REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/**
 * Asks for `ms` milliseconds over so many connections, on each as soon as it has its answer.
 *
 * HTTP is written and read by hand, so that what is measured is not this client: an answer
 * must have a `Content-Length`.
 */
export async function load(port: number, { connections, ms }: { connections: number; ms: number }): Promise<Load> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  const statuses: Record<string, number> = {};
  const start = performance.now();
  await Promise.all(
    sockets.map(async (socket) => {
      while (performance.now() - start < ms) {
        const status = await ask(socket);
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  for (const socket of sockets) socket.destroy();
  return { answers: Object.values(statuses).reduce((sum, count) => sum + count, 0), seconds, statuses };
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  return socket.setEncoding("latin1");
}

/** Asks once; gives the status. */
function ask(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const read = (chunk: string) => {
      text += chunk;
      const end = text.indexOf("\r\n\r\n");
      if (end < 0) return;
      const length = /^content-length: (\d+)/im.exec(text)?.[1];
      if (text.length < end + 4 + Number(length)) return;
      stop();
      if (length === undefined) reject(new Error(`There is no length in ${text}.`));
      else resolve(text.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length));
    };
    const fail = () => {
      stop();
      reject(new Error(`The connection ended after ${JSON.stringify(text)}.`));
    };
    const stop = () => socket.off("data", read).off("close", fail);
    socket.on("data", read).on("close", fail).write(REQUEST);
  });
}
