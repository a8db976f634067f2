/**
 * A program at work on this machine: its number, its log, its end.
 *
 * @module
 */
import { type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";
import { ANNOUNCE, reaperPipe, serverEnded } from "./reaper.js";

/** How a program is run. */
export interface Program {
  readonly file: string;
  readonly arguments: readonly string[];
  /** Whom it runs as, where that is not who we are. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** What ends it at once; 0 for a program that ends by itself. */
  readonly killSignal: NodeJS.Signals | 0;
}

const LOG_LINES = 15;

/** A running program. It writes to a file, as nobody may be there to empty a pipe. */
export class Child {
  readonly pid: number;
  /** Resolves with how it ended. */
  readonly exited: Promise<string>;
  readonly #log: string;
  #running = true;

  private constructor(pid: number, exited: Promise<string>, log: string) {
    this.pid = pid;
    this.#log = log;
    this.exited = exited.then((how) => {
      this.#running = false;
      serverEnded(pid);
      return how;
    });
  }

  /** Starts a program that writes to the end of the file `log`. */
  static async start(program: Program, log: string): Promise<Child> {
    const output = await open(log, "a");
    try {
      // A group of its own: Ctrl-C at the terminal must not end a server before the test that uses it.
      const stdio: StdioOptions = ["ignore", output.fd, output.fd, reaperPipe()];
      const words = ["-c", ANNOUNCE, JSON.stringify(program.killSignal), program.file, ...program.arguments];
      const child = spawn("/bin/sh", words, { ...program.user, detached: true, stdio });
      await once(child, "spawn");
      const { pid } = child;
      if (pid === undefined) throw new Error("it has no process id");
      // A server that nobody stopped must not keep its test alive.
      if (program.killSignal !== 0) child.unref();
      const exited = once(child, "exit").then(([code, signal]) => (signal === null ? `code ${code}` : `${signal}`));
      return new Child(pid, exited, log);
    } catch (error) {
      throw new Error(`Cannot run ${program.file}: ${error instanceof Error ? error.message : error}.`, {
        cause: error,
      });
    } finally {
      await output.close();
    }
  }

  get running(): boolean {
    return this.#running;
  }

  /** The end of what it wrote. */
  async log(): Promise<string> {
    const lines = (await readFile(this.#log, "utf8")).trimEnd().split("\n");
    return lines.slice(-LOG_LINES).join("\n");
  }

  /** Signals it and the processes that it started, and waits until it is gone. */
  async end(signal: NodeJS.Signals, timeout = 20_000): Promise<void> {
    if (!this.#running) return;
    process.kill(-this.pid, signal);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`Process ${this.pid} did not end on ${signal}.`)), timeout);
    });
    await Promise.race([this.exited, late]).finally(() => clearTimeout(timer));
  }
}
