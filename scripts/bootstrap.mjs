/**
 * Makes a checkout ready to run: installs what the lockfile says and builds what changed.
 *
 * Needs nothing but Node and npm. Does nothing, quickly, when nothing changed. All that
 * it says goes to standard error.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { embed } from "./embed.mjs";

/** The folder of the checkout. */
export const root = fileURLToPath(new URL("..", import.meta.url));

const STAMPS = join(root, "node_modules", ".cache", "sluice");

/** Installs and builds, if need be. Ends the process when that fails. */
export function bootstrap() {
  checkNode();
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  step("install", manifests, "Installing packages (the first time takes a minute)", () => {
    const pnpm = manifest.packageManager;
    run("npx", ["--yes", pnpm, "install", "--frozen-lockfile", "--reporter=append-only"]);
  });
  embed(packageFolders());
  step("build", sources, "Building", () => {
    run(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "--build"]);
  });
}

/** Runs a command in the checkout with its output on standard error; ends the process when it fails. */
export function run(command, args) {
  const shell = process.platform === "win32" && command === "npx";
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2], shell });
  if (status === 0) return;
  say(`${[command, ...args].join(" ")} failed${error === undefined ? "" : `: ${error.message}`}.`);
  process.exit(status ?? 1);
}

/** Tells the person at the terminal what goes on. */
export function say(text) {
  process.stderr.write(`sluice: ${text}\n`);
}

function step(name, list, title, work) {
  const stamp = join(STAMPS, name);
  const now = fingerprint(list());
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === now) return;
  const start = Date.now();
  say(`${title} ...`);
  work();
  mkdirSync(STAMPS, { recursive: true });
  // What the work made counts, too.
  writeFileSync(stamp, fingerprint(list()));
  say(`${title.split(" (")[0]}: done in ${((Date.now() - start) / 1000).toFixed(1)} s.`);
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  say(`Node ${process.versions.node} is too old: Sluice needs 20.19 or newer. Install it from nodejs.org.`);
  process.exit(1);
}

function manifests() {
  const inPackages = packageFolders().map((folder) => join(folder, "package.json"));
  return [...inPackages, ...["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml"].map((file) => join(root, file))];
}

function sources() {
  const configs = packageFolders().map((folder) => join(folder, "tsconfig.json"));
  const files = packageFolders().flatMap((folder) => filesBelow(join(folder, "src")));
  const outputs = packageFolders().filter(
    (folder) => existsSync(join(folder, "src")) && !existsSync(join(folder, "dist")),
  );
  return [
    ...configs,
    ...files,
    join(root, "tsconfig.json"),
    join(root, "tsconfig.base.json"),
    ...outputs,
    join(STAMPS, "install"),
  ];
}

function packageFolders() {
  const packages = readdirSync(join(root, "packages")).map((name) => join(root, "packages", name));
  return [...packages, join(root, "bench")];
}

function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

function fingerprint(files) {
  const hash = createHash("sha256").update(process.version);
  for (const file of files) {
    hash.update(relative(root, file)).update("\0");
    // A file that is missing, or a folder that stands for a build that is missing, counts by its name.
    if (existsSync(file) && !file.endsWith("dist") && /\.[a-z]+$|install$/.test(file)) hash.update(readFileSync(file));
  }
  return hash.digest("hex");
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) bootstrap();
