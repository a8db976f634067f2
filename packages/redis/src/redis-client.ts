/**
 * What the bucket asks of a Redis client: ioredis' `Redis` and `Cluster` have it.
 *
 * @module
 */

/** A key or an argument of a command. */
export type RedisArgument = string | Buffer;

/** Sends one command; bytes in its reply stay bytes. */
export type SendCommand = (
  name: string,
  ...args: (RedisArgument | number | readonly RedisArgument[])[]
) => Promise<unknown>;

/** What {@link RedisBucket} needs of a client; `Redis` and `Cluster` of ioredis 5.3 and later have it. */
export interface RedisClient {
  /** Whether keys are spread over nodes by their slots. */
  readonly isCluster?: boolean;
  /** How the client was made. */
  readonly options?: {
    /** What the client puts before keys. */
    readonly keyPrefix?: string | undefined;
  };
  /** The masters of a Cluster. */
  nodes?(role: "master"): RedisClient[];
  /**
   * Makes the function that sends a command at once: also where the client would gather
   * commands into pipelines, since a trip is a gathering already.
   */
  createBuiltinCommand(name: string): {
    /** Sends it; bytes in the reply stay bytes. */
    buffer(this: RedisClient, ...args: unknown[]): Promise<unknown>;
  };
}

/** Checks that a client will do. */
export function checkClient(client: RedisClient): RedisClient {
  if (typeof client?.createBuiltinCommand !== "function") {
    const hint = "pass a Redis or a Cluster of ioredis, or call RedisBucket.open() with a URL";
    throw new TypeError(`Cannot reach Redis by ${client === null ? "null" : typeof client}: ${hint}.`);
  }
  const { keyPrefix } = client.options ?? {};
  if (keyPrefix === undefined || keyPrefix === null || keyPrefix === "") return client;
  const hint = "ioredis puts it before keys but not into SCAN. Make the client without it, and set the bucket's prefix";
  throw new RangeError(`Cannot use a client with the keyPrefix ${JSON.stringify(keyPrefix)}: ${hint}.`);
}

/** How commands are sent by a client. */
export function sender(client: RedisClient): SendCommand {
  const functions = new Map<string, (this: RedisClient, ...args: unknown[]) => Promise<unknown>>();
  return (name, ...args) => {
    let send = functions.get(name);
    if (send === undefined) {
      send = client.createBuiltinCommand(name).buffer;
      functions.set(name, send);
    }
    return send.apply(client, args);
  };
}

/** The clients that together see all keys: those of the masters of a Cluster, else the client itself. */
export function mastersOf(client: RedisClient): RedisClient[] {
  return (client.isCluster === true ? client.nodes?.("master") : undefined) ?? [client];
}
