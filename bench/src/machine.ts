/**
 * Where a run took place, and what took part.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, release, totalmem, type } from "node:os";

/** The machine, and what runs on it. */
export function machine(quick: boolean): string {
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const system = `${type()} ${release().split("-")[0]}`;
  return `Node ${process.versions.node}, ${system}, ${cpus().length} x ${cpus()[0]?.model.trim()}, ${memory}, ${quick ? "quick" : "full"} run.`;
}

/** The versions of these packages, as they are installed. */
export function versions(names: readonly string[]): string {
  const require = createRequire(import.meta.url);
  return names.map((name) => `${name} ${versionOf(require, name)}`).join(", ");
}

function versionOf(require: NodeJS.Require, name: string): string {
  // The file is not always among a package's exports: it is looked for where the package would be.
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      return (JSON.parse(readFileSync(`${folder}/${name}/package.json`, "utf8")) as { version: string }).version;
    } catch {}
  }
  return "?";
}
