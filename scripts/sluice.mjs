/** `npm run -s sluice -- ARGS`: the command, from a checkout. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { bootstrap, root } from "./bootstrap.mjs";

bootstrap();
const main = join(root, "packages", "cli", "dist", "main.js");
// npm runs scripts in the folder of the package; file names are meant from where npm was called.
const cwd = process.env.INIT_CWD ?? process.cwd();
const { status, signal } = spawnSync(process.execPath, [main, ...process.argv.slice(2)], { cwd, stdio: "inherit" });
process.exitCode = status ?? (signal === null ? 1 : 130);
