/**
 * A Postgres of a test's own.
 *
 * @module
 */
import { chown } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { Child } from "./child.js";
import { LocalServer } from "./local-server.js";
import { type PostgresBinaries, postgresBinaries } from "./postgres-binaries.js";

export interface PostgresServerOptions {
  readonly port?: number;
  /** Lines of postgresql.conf, such as `{ statement_timeout: "5s" }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * A Postgres server with a database `postgres` and a user of that name, who needs no
 * password. Commits are flushed to disk (`fsync` is on), as where it matters.
 *
 * `shutdown()` is a fast one: it ends sessions. `kill()` is an immediate one: the next
 * start recovers from the write-ahead log, and UNLOGGED tables are empty.
 */
export class PostgresServer extends LocalServer {
  protected readonly name = "Postgres";
  protected readonly shutdownSignal = "SIGINT";
  // Not SIGKILL, which leaves the sessions to find out by themselves, and a start may come before they do.
  protected readonly killSignal = "SIGQUIT";
  readonly #settings: Readonly<Record<string, string>>;
  #binaries: PostgresBinaries | undefined;

  constructor({ port, settings = {} }: PostgresServerOptions = {}) {
    super(port);
    this.#settings = settings;
  }

  get url(): string {
    return `postgres://postgres@${this.host}:${this.port}/postgres`;
  }

  /** Does `work` with a client that lasts as long and connects once. */
  async withClient<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: this.url, connectionTimeoutMillis: 5_000 });
    // What fails rejects as well.
    client.on("error", () => undefined);
    try {
      await client.connect();
      return await work(client);
    } finally {
      await client.end();
    }
  }

  protected async prepare(directory: string): Promise<void> {
    this.#binaries = await postgresBinaries(directory);
    const { initdb, user } = this.#binaries;
    if (user !== undefined) await chown(directory, user.uid, user.gid);
    const words = [
      `--pgdata=${dataOf(directory)}`,
      "--username=postgres",
      "--auth=trust",
      "--encoding=UTF8",
      "--no-locale",
      "--no-instructions",
      // The data is new: after a crash of the machine in this moment there is none to keep.
      "--no-sync",
    ];
    // Not to be killed: it takes a second, and would leave shared memory behind.
    const program = { file: initdb, arguments: words, user, killSignal: 0 } as const;
    const child = await Child.start(program, join(directory, "server.log"));
    const end = await child.exited;
    if (end !== "code 0") throw new Error(`Postgres: initdb ended with ${end}. Its log ends:\n${await child.log()}`);
  }

  protected async program(directory: string, port: number) {
    if (this.#binaries === undefined) throw new Error("Postgres was not prepared.");
    const settings = {
      port: `${port}`,
      listen_addresses: this.host,
      // Sockets in a folder that servers share would clash.
      unix_socket_directories: "",
      // Several test files at once, each with pools in several processes.
      max_connections: "300",
      ...this.#settings,
    };
    const words = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const { postgres, user } = this.#binaries;
    return { file: postgres, arguments: ["-D", dataOf(directory), ...words], user };
  }

  protected async ask(): Promise<void> {
    await this.withClient((client) => client.query("SELECT 1"));
  }
}

function dataOf(directory: string): string {
  return join(directory, "data");
}
