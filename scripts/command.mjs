/** The command as it was built, in a process of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { join } from "node:path";
import { root } from "./bootstrap.mjs";

const MAIN = join(root, "packages", "cli", "dist", "main.js");

/** Runs the command until it ends, signals included; gives its exit code. */
export async function runCommand(args) {
  // npm runs scripts in the folder of the package; file names are meant from where npm was called.
  const cwd = process.env.INIT_CWD ?? process.cwd();
  const child = spawn(process.execPath, [MAIN, ...args], { cwd, stdio: "inherit" });
  // A terminal sends SIGINT to all; whoever ends this process by SIGTERM means the command.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  const [code, signal] = await once(child, "close");
  return code ?? 128 + constants.signals[signal];
}
