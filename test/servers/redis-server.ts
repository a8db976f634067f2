/**
 * A Redis of a test's own.
 *
 * @module
 */
import { Redis } from "ioredis";
import { LocalServer } from "./local-server.js";
import { redisBinary } from "./redis-binary.js";

export interface RedisServerOptions {
  readonly port?: number;
  /** Whether writes go to a file and survive `kill()`. By default nothing outlives the process. */
  readonly appendOnly?: boolean;
  /** Lines of redis.conf, such as `{ maxmemory: "10mb" }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A single Redis server, from `redis-server` or `valkey-server` on the PATH. */
export class RedisServer extends LocalServer {
  protected readonly name = "Redis";
  protected readonly shutdownSignal = "SIGTERM";
  protected readonly killSignal = "SIGKILL";
  readonly #settings: Readonly<Record<string, string>>;

  constructor({ port, appendOnly = false, settings = {} }: RedisServerOptions = {}) {
    super(port);
    this.#settings = { save: "", appendonly: appendOnly ? "yes" : "no", ...settings };
  }

  get url(): string {
    return `redis://${this.host}:${this.port}`;
  }

  /** Does `work` with a client that lasts as long and connects once. */
  async withClient<T>(work: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(this.port, this.host, {
      lazyConnect: true,
      commandTimeout: 10_000,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
    });
    // What fails rejects as well.
    client.on("error", () => undefined);
    try {
      await client.connect();
      return await work(client);
    } finally {
      client.disconnect();
    }
  }

  protected async prepare(): Promise<void> {}

  protected async program(directory: string, port: number) {
    const settings = { port: `${port}`, bind: this.host, dir: directory, daemonize: "no", ...this.#settings };
    const words = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    return { file: await redisBinary(), arguments: words };
  }

  protected async ask(): Promise<void> {
    await this.withClient((client) => client.ping());
  }
}
