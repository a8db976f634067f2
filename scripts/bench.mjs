/** `npm run bench`: builds the bench and runs it. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { bootstrap, root, run } from "./bootstrap.mjs";

bootstrap();
run(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "--project", join(root, "bench")]);
const main = join(root, "bench", "dist", "main.js");
const { status } = spawnSync(process.execPath, [main, ...process.argv.slice(2)], { stdio: "inherit" });
process.exitCode = status ?? 1;
