/**
 * Ends the servers, and removes the directories, that a process leaves behind.
 *
 * It reads from that process one line for each thing to look after or to forget. The end
 * of its input says that the process is gone, in whatever way: even SIGKILL closes a pipe.
 */
import { rmSync } from "node:fs";
import { createInterface } from "node:readline";

const GRACE_MS = 10_000;
const servers = new Map();
const directories = new Set();

for await (const line of createInterface({ input: process.stdin })) {
  const { run, ended, made, removed, signal } = JSON.parse(line);
  if (run !== undefined) servers.set(run, signal);
  if (ended !== undefined) servers.delete(ended);
  if (made !== undefined) directories.add(made);
  if (removed !== undefined) directories.delete(removed);
}

for (const [pid, signal] of servers) send(pid, signal);
const deadline = Date.now() + GRACE_MS;
while (Date.now() < deadline && [...servers.keys()].some((pid) => send(pid, 0))) {
  await new Promise((resolve) => setTimeout(resolve, 20));
}
for (const pid of servers.keys()) send(pid, "SIGKILL");
for (const directory of directories) rmSync(directory, { recursive: true, force: true, maxRetries: 5 });

/** Signals a server and the processes of its group; false when none of them is left. */
function send(pid, signal) {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}
