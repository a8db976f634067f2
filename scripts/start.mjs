/** `npm start`: limits in front of a small server, to try with curl. Words after `--` are options of `sluice serve`. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { bootstrap, root } from "./bootstrap.mjs";
import { runCommand } from "./command.mjs";

bootstrap();
const folder = join(root, "node_modules", ".cache", "sluice");
mkdirSync(folder, { recursive: true });
const store = `sqlite:${join(folder, "demo.db")}`;
process.exitCode = await runCommand(["serve", "--demo", "--store", store, ...process.argv.slice(2)]);
