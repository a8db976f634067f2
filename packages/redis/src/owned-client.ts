/**
 * The client of a bucket that was opened with a URL.
 *
 * @module
 */
import type { ClusterOptions, RedisOptions } from "ioredis";
import type { RedisClient } from "./redis-client.js";
import type { RedisUrl } from "./redis-url.js";

/** A client, and what only its owner may do with it. */
export interface OwnedClient {
  readonly client: RedisClient;
  /** Fulfilled when every server is there to be asked. */
  connect(): Promise<void>;
  /** Gives up a connection on which nothing comes any more, and makes a new one. */
  reconnect(): void;
  /** Lets the servers answer what they were asked, and goes. */
  quit(): Promise<unknown>;
  /** Goes at once. */
  disconnect(): void;
}

const LONGEST_TIMER = 2 ** 31 - 1;

/** Makes a client that is not connected yet. */
export async function makeClient(url: RedisUrl, timeout: number): Promise<OwnedClient> {
  const { Cluster, Redis } = await loadIoredis(url.shown);
  const client = url.cluster
    ? new Cluster([...url.addresses], clusterOptions(url, timeout))
    : new Redis({ ...nodeOptions(url, timeout), ...url.addresses[0], db: url.db, retryStrategy: pause });
  let reason: unknown;
  const note = (error: unknown) => {
    reason ??= error;
  };
  // What happens to a node is told as a "node error". Without a listener ioredis would write errors to the console.
  if (client instanceof Cluster) client.on("error", () => {}).on("node error", note);
  else client.on("error", note);
  const connect = async () => {
    try {
      await client.connect();
      if (client instanceof Cluster) await Promise.all(client.nodes("master").map((node) => node.ping()));
    } catch (error) {
      // This error says only that there is no connection; the first one of all says why.
      throw reason ?? error;
    }
  };
  // Nodes of a Cluster watch for silence themselves: one that is stuck is no reason to leave the others.
  const reconnect = () => (client instanceof Cluster ? undefined : client.disconnect(true));
  return { client, connect, reconnect, quit: () => client.quit(), disconnect: () => client.disconnect() };
}

/**
 * A command is never sent twice, and never kept for later: while there is no connection it
 * fails at once, so that nobody is charged after having been told of the failure.
 */
function nodeOptions({ username, password, tls }: RedisUrl, timeout: number) {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
    lazyConnect: true,
    connectTimeout: Math.min(timeout, 10_000),
    disconnectTimeout: Math.min(timeout, 2000),
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // A master that was made a replica keeps its connections: behind the same name is a new one.
    reconnectOnError: (error: Error) => error.message.startsWith("READONLY"),
  } satisfies RedisOptions;
}

function clusterOptions(url: RedisUrl, timeout: number) {
  const { enableOfflineQueue, lazyConnect, ...redisOptions } = nodeOptions(url, timeout);
  return {
    lazyConnect: true,
    enableOfflineQueue: false,
    // A node that vanished without a word is found out by its silence.
    redisOptions: { ...redisOptions, socketTimeout: Math.min(2 * timeout, LONGEST_TIMER) },
    // A command that was underway when its connection broke may have been carried out.
    retryDelayOnFailover: 0,
    clusterRetryStrategy: pause,
    // A certificate names hosts, and not addresses.
    ...(url.tls ? { dnsLookup: keepHost } : {}),
  } satisfies ClusterOptions;
}

/** Milliseconds to the next attempt to connect: longer each time, up to a second, and not the same for all. */
function pause(attempt: number): number {
  return Math.min(1000, 50 * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2);
}

function keepHost(host: string, found: (error: null, address: string) => void): void {
  found(null, host);
}

async function loadIoredis(shown: string) {
  try {
    return await import("ioredis");
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ERR_MODULE_NOT_FOUND") throw error;
    const hint = "Run npm install @sluice/redis ioredis";
    throw new Error(`Cannot open ${JSON.stringify(shown)}: the package ioredis is not installed. ${hint}.`, {
      cause: error,
    });
  }
}
