/**
 * A server of a test's own on this machine, to use, to kill and to start again.
 *
 * @module
 */
import { join } from "node:path";
import { Child, type Program } from "./child.js";
import { freePort, HOST, isFree } from "./ports.js";
import { makeDirectory, removeDirectory } from "./reaper.js";
import { until } from "./until.js";

const START_TIMEOUT_MS = 30_000;

/**
 * What Redis and Postgres have in common: a port, a directory and a process.
 *
 * The port stays the same for the life of the object. The data stays until `stop()`, as
 * far as the server keeps any. All of it is gone when the process of the test is.
 */
export abstract class LocalServer {
  readonly host = HOST;
  /** What the server is called in errors and in the name of its directory. */
  protected abstract readonly name: string;
  protected abstract readonly shutdownSignal: NodeJS.Signals;
  protected abstract readonly killSignal: NodeJS.Signals;
  #port: number | undefined;
  #directory: string | undefined;
  #child: Child | undefined;

  /** @param port The port to listen on; by default a free one. */
  constructor(port?: number) {
    this.#port = port;
  }

  /** Fills a new directory with what the server needs before its first start. */
  protected abstract prepare(directory: string): Promise<void>;
  /** How the server is run. */
  protected abstract program(directory: string, port: number): Promise<Omit<Program, "killSignal">>;
  /** Asks the server for a sign of life; rejects while there is none. */
  protected abstract ask(): Promise<void>;

  get port(): number {
    if (this.#port === undefined) throw new Error(`${this.name} has no port yet: await start() first.`);
    return this.#port;
  }

  /** The number of its process. */
  get pid(): number {
    if (this.#child?.running !== true) throw new Error(`${this.name} does not run: await start() first.`);
    return this.#child.pid;
  }

  /** Starts it, with the data that an earlier run left; resolves when it answers. */
  async start(): Promise<this> {
    if (this.#child?.running === true) throw new Error(`${this.name} runs already, on port ${this.port}.`);
    this.#port ??= await freePort();
    // Else what answers would be the other server, and ours would be gone.
    if (!(await isFree(this.#port))) {
      throw new Error(`${this.name} cannot start: port ${this.#port} is taken. End what listens there.`);
    }
    this.#directory ??= await this.#newDirectory();
    const program = await this.program(this.#directory, this.#port);
    this.#child = await Child.start({ ...program, killSignal: this.killSignal }, join(this.#directory, "server.log"));
    await this.#answers(this.#child);
    return this;
  }

  /** Ends it in good order. Its data stays for the next `start()`. */
  async shutdown(): Promise<void> {
    await this.#child?.end(this.shutdownSignal);
  }

  /** Ends it at once, as a crash does. What it had on disk stays for the next `start()`. */
  async kill(): Promise<void> {
    await this.#child?.end(this.killSignal);
  }

  /** `shutdown()` and `start()`. */
  async restart(): Promise<void> {
    await this.shutdown();
    await this.start();
  }

  /** Ends it and removes its data. */
  async stop(): Promise<void> {
    await this.kill();
    const directory = this.#directory;
    this.#directory = undefined;
    if (directory !== undefined) await removeDirectory(directory);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #newDirectory(): Promise<string> {
    const directory = await makeDirectory(this.name.toLowerCase());
    await this.prepare(directory);
    return directory;
  }

  async #answers(child: Child): Promise<void> {
    let end: string | undefined;
    void child.exited.then((how) => {
      end = `it ended with ${how}`;
    });
    try {
      await until(
        () => this.ask(),
        START_TIMEOUT_MS,
        () => end,
      );
    } catch (error) {
      await child.end(this.killSignal);
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(
        `${this.name} did not start on port ${this.port}: ${reason}. Its log ends:\n${await child.log()}`,
      );
    }
  }
}
