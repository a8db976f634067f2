/**
 * Where the Redis server of this machine is, and how it comes there.
 *
 * @module
 */
import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const NAMES = ["redis-server", "valkey-server"];

const APT = "DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends redis-server";

/**
 * A new machine has no list of packages yet. The service that comes with the package is
 * not ours: it would sit on the port that a user's own Redis has.
 */
const INSTALL = `{ ${APT} || { apt-get update && ${APT}; }; } && { service redis-server stop; true; }`;

/** Of several test processes one installs, and the others wait and find it done. */
const INSTALL_ONCE = `flock /var/lib/apt sh -c 'command -v redis-server > /dev/null || ${INSTALL}'`;

let installing: Promise<string | undefined> | undefined;

/**
 * The full name of `redis-server`, or else of `valkey-server`. Installs the former where
 * that can be done without asking: as root on a Debian or the like.
 *
 * @throws Error with the command to run, where there is neither and none can be installed.
 */
export async function redisBinary(path = currentPath()): Promise<string> {
  const found = findOnPath(NAMES, path);
  if (found !== undefined) return found;
  const apt = findOnPath(["apt-get"], path) !== undefined;
  if (!apt || process.getuid?.() !== 0) throw new Error(`${missing()} ${wayOut(apt)}`);
  installing ??= install(path);
  const installed = await installing;
  if (installed === undefined) throw new Error(`${missing()} apt-get put it elsewhere: add its folder to the PATH.`);
  return installed;
}

function currentPath(): string {
  const { PATH = "" } = process.env;
  return PATH;
}

async function install(path: string): Promise<string | undefined> {
  process.stderr.write(
    "sluice: The tests need a Redis server, and there is none: installing redis-server with apt-get ...\n",
  );
  try {
    await promisify(execFile)("sh", ["-c", INSTALL_ONCE], { maxBuffer: 2 ** 26 });
  } catch (error) {
    throw new Error(`${missing()} It cannot be installed: ${error instanceof Error ? error.message : error}`);
  }
  return findOnPath(NAMES, path);
}

function missing(): string {
  return `The tests need a Redis server: neither ${NAMES.join(" nor ")} is on the PATH.`;
}

function wayOut(apt: boolean): string {
  const command = apt ? "sudo apt-get install redis-server" : "brew install redis";
  const other = apt || process.platform === "darwin" ? "" : " (or what your system has in its place)";
  return `Run: ${command}${other}`;
}

/** The first of these programs that a folder of the PATH holds. */
export function findOnPath(names: readonly string[], path: string): string | undefined {
  const folders = path.split(delimiter).filter((folder) => folder !== "");
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
