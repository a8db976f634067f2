import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A server on a free port of the loopback. */
export interface Listening extends AsyncDisposable {
  readonly server: Server;
  readonly url: string;
  readonly port: number;
}

/** Serves on a free port until the end of an `await using` block, which cuts what is still connected. */
export async function listen(handler: RequestListener | Server): Promise<Listening> {
  const server = typeof handler === "function" ? createServer(handler) : handler;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { server, url: `http://127.0.0.1:${port}`, port, [Symbol.asyncDispose]: close };
}
