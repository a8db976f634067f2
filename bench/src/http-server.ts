/**
 * Servers in processes of their own, and what processor time they take.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const CPU = new URL("http-server-cpu.js", import.meta.url).href;

/** A server that runs. */
export interface Server {
  readonly port: number;
  /** Microseconds of processor time so far. */
  cpu(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts a program that, once it serves, prints the address of its port. */
export async function start(program: URL, ...words: string[]): Promise<Server> {
  const child = spawn(process.execPath, ["--import", CPU, fileURLToPath(program), ...words], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const port = await portOf(child);
  return {
    port,
    async cpu() {
      const answer = once(child, "message");
      child.send("cpu");
      return ((await answer) as [number])[0];
    },
    async stop() {
      const end = once(child, "exit");
      child.kill("SIGKILL");
      await end;
    },
  };
}

function portOf(server: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = "";
    const read = (chunk: Buffer) => {
      text += chunk;
      const port = /http:\/\/127\.0\.0\.1:(\d+)/.exec(text)?.[1];
      if (port !== undefined) resolve(Number(port));
    };
    server.stdout?.on("data", read);
    server.stderr?.on("data", (chunk) => {
      text += chunk;
    });
    server.once("exit", () => reject(new Error(`A server ended: ${text}`)));
  });
}
