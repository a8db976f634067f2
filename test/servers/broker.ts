/**
 * The servers that test files share, each started when the first file asks for it.
 *
 * Test files run in processes of their own, and a server outlives each of them: so the
 * process of the test runner starts it, and tells over a local port where it is.
 *
 * @module
 */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { givenCluster, givenPostgres, givenRedis } from "./given.js";
import { HOST } from "./ports.js";
import { PostgresServer } from "./postgres-server.js";
import { type NodeAddress, RedisCluster } from "./redis-cluster.js";
import { RedisServer } from "./redis-server.js";

/** Where the servers are, by kind. */
export interface Places {
  readonly redis: string;
  readonly cluster: readonly NodeAddress[];
  readonly postgres: string;
}

interface Stoppable {
  stop(): Promise<void>;
}

/** Starts shared servers on demand; its own address is what the tests are given. */
export class Broker {
  readonly #http = createServer((request, response) => void this.#answer(request.url ?? "", response));
  readonly #places = new Map<string, Promise<string | readonly NodeAddress[]>>();
  readonly #started: Stoppable[] = [];

  /** The address at which the tests ask. */
  async open(): Promise<string> {
    this.#http.listen(0, HOST);
    await once(this.#http, "listening");
    const address = this.#http.address();
    if (address === null || typeof address === "string") throw new Error(`Expected a port, got ${address}.`);
    return `http://${HOST}:${address.port}`;
  }

  /** Stops every server that was started. */
  async close(): Promise<void> {
    this.#http.close();
    this.#http.closeAllConnections();
    await Promise.allSettled(this.#places.values());
    await Promise.all(this.#started.map((server) => server.stop()));
  }

  async #answer(path: string, response: ServerResponse): Promise<void> {
    try {
      response.end(JSON.stringify(await this.#place(path.slice(1))));
    } catch (error) {
      // Its reason is all that the test needs to tell the reader.
      response.writeHead(500).end(error instanceof Error ? error.message : String(error));
    }
  }

  #place(kind: string): Promise<string | readonly NodeAddress[]> {
    // What failed once is not tried again: each file that asks hears the same at once.
    const place = this.#places.get(kind) ?? this.#find(kind);
    this.#places.set(kind, place);
    return place;
  }

  async #find(kind: string): Promise<string | readonly NodeAddress[]> {
    switch (kind) {
      case "redis":
        return givenRedis() ?? (await this.#start(new RedisServer())).url;
      case "cluster":
        return givenCluster() ?? (await this.#start(new RedisCluster())).addresses;
      case "postgres":
        return givenPostgres() ?? (await this.#start(new PostgresServer())).url;
      default:
        throw new Error(`There is no server ${JSON.stringify(kind)}: ask for redis, cluster or postgres.`);
    }
  }

  async #start<S extends Stoppable & { start(): Promise<S> }>(server: S): Promise<S> {
    this.#started.push(server);
    return server.start();
  }
}
