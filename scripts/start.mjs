/** `npm start`: replays a sample of traffic, made here from a seed, against a limit. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { bootstrap, root, say } from "./bootstrap.mjs";
import { writeSample } from "./sample.mjs";

const REQUESTS = 200_000;

bootstrap();
const folder = join(root, "node_modules", ".cache", "sluice");
const sample = join(folder, `sample-${REQUESTS}.log`);
if (!existsSync(sample)) {
  say(`Making a sample of ${REQUESTS.toLocaleString("en")} requests ...`);
  mkdirSync(folder, { recursive: true });
  await writeSample(sample, REQUESTS);
}
const args = ["replay", sample, "--rate", "30/min", "--rate", "600/h", "--key", "ip"];
say(`npm run -s sluice -- ${args.join(" ").replace(`${root}`, "")}`);
const { status } = spawnSync(process.execPath, [join(root, "packages", "cli", "dist", "main.js"), ...args], {
  stdio: "inherit",
});
process.exitCode = status ?? 1;
