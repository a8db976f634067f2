/**
 * Free ports of this machine.
 *
 * @module
 */
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

export const HOST = "127.0.0.1";

/** A node of a Redis Cluster talks to the others on the port this far above its own. */
const BUS_OFFSET = 10_000;

/**
 * Ports below those that systems give to outgoing connections (from 32,768 on Linux), the
 * bus port too: a server that is away for a moment finds its port free when it comes back.
 */
const FIRST = 10_000;
const LAST = 32_767 - BUS_OFFSET;

/** A port that is free now, and whose bus port is. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = randomInt(FIRST, LAST + 1);
    if ((await isFree(port)) && (await isFree(port + BUS_OFFSET))) return port;
  }
  throw new Error(`Found no free port from ${FIRST} to ${LAST} in 100 tries: end what listens there.`);
}

/** Whether a server could listen on this port. */
export async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  try {
    probe.listen(port, HOST);
    await once(probe, "listening");
    return true;
  } catch {
    return false;
  } finally {
    probe.close();
  }
}
