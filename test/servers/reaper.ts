/**
 * What this process starts ends with it, however it ends.
 *
 * A handler of signals cannot promise that: a test runner ends its workers with SIGKILL,
 * and a second handler in one process changes what Ctrl-C does. So a process of its own
 * waits for the end of this one; it costs nothing until the first server starts.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { fileURLToPath } from "node:url";

let pipe: Writable | undefined;

/**
 * A shell script that makes the reaper look after a program and becomes the program. Its
 * words are a signal in JSON and the command; its third stream is {@link reaperPipe}. When
 * this process is gone, the program and its group get the signal, or with 0 may finish.
 *
 * The program says it itself, because this process could end after it started a program
 * and before it can say so.
 */
export const ANNOUNCE = `printf '{"run":%d,"signal":%s}\\n' $$ "$0" >&3; exec "$@" 3>&-`;

/** What the reaper listens to. */
export function reaperPipe(): Writable {
  pipe ??= startReaper();
  return pipe;
}

/** The server is gone: its number may now mean another process. */
export function serverEnded(pid: number): void {
  tell({ ended: pid });
}

/** A new directory, removed when this process is gone at the latest. */
export async function makeDirectory(name: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), `sluice-${name}-`));
  tell({ made: directory });
  return directory;
}

/** Removes a directory of {@link makeDirectory}. */
export async function removeDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  tell({ removed: directory });
}

function tell(message: object): void {
  reaperPipe().write(`${JSON.stringify(message)}\n`);
}

function startReaper(): Writable {
  const script = fileURLToPath(new URL("./reaper-process.mjs", import.meta.url));
  // Detached, so that Ctrl-C, which reaches a whole group of processes, does not reach the reaper.
  const reaper = spawn(process.execPath, [script], { detached: true, stdio: ["pipe", "ignore", "inherit"] });
  reaper.unref();
  // A pipe is a socket here, and must not keep this process alive either.
  if ("unref" in reaper.stdin && typeof reaper.stdin.unref === "function") reaper.stdin.unref();
  // A worker of a test runner that is gone would run on to the end of its test, for nobody.
  process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));
  return reaper.stdin;
}
