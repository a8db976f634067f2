import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { messageOf, UsageError } from "../usage-error.js";

/** Where to listen. */
export interface Place {
  /** All addresses of this machine when left out. */
  readonly host: string | undefined;
  readonly port: number;
  /** How many ports behind it to try as well, when it is taken. */
  readonly spare?: number;
  /** What the port is given as. */
  readonly option?: "--port" | "--admin-port";
}

const HIGHEST_PORT = 65_535;

/**
 * Listens, and gives the port.
 *
 * @throws UsageError for a port that is taken, and for an address that is not ours.
 */
export async function listen(server: Server, { host, port, spare = 0, option = "--port" }: Place): Promise<number> {
  try {
    server.listen({ port, ...(host !== undefined && { host }) });
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE" && spare > 0 && port < HIGHEST_PORT) {
      return listen(server, { host, port: port + 1, spare: spare - 1, option });
    }
    throw new UsageError(explain({ port, host, option }, code, error), { cause: error });
  }
}

function explain({ port, host, option }: Place, code: string | undefined, error: unknown): string {
  if (code === "EADDRINUSE") {
    return `Cannot listen on port ${port}: another program does. Choose another with ${option}, or 0 for any free one.`;
  }
  if (code === "EACCES")
    return `Cannot listen on port ${port}: you may not. Choose one of 1024 or more with ${option}.`;
  return `Cannot listen on ${host ?? "all addresses"}, port ${port}: ${messageOf(error)}. Choose another with --host.`;
}
