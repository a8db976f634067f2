/**
 * The file that holds the options of `sluice serve`.
 *
 * @module
 */
import { existsSync, readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { messageOf, UsageError } from "../usage-error.js";

/** What a file is called that is found by itself. */
export const CONFIG_NAMES = ["sluice.config.json", "sluice.config.ts", "sluice.config.mjs"] as const;

/** A file that was read. */
export interface ConfigFile {
  /** As errors call it. */
  readonly name: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * Reads the file that was named, or the one in the folder; `undefined` where there is none.
 *
 * @throws UsageError for a file that cannot be read, and for two where one is expected.
 */
export async function loadConfig(named: string | undefined, folder: string): Promise<ConfigFile | undefined> {
  const name = named ?? findConfig(folder);
  if (name === undefined) return undefined;
  const file = resolve(folder, name);
  if (!existsSync(file)) {
    throw new UsageError(`Cannot read the config ${JSON.stringify(name)}: there is no such file.`);
  }
  const values = await readConfig(file, name);
  if (typeof values === "object" && values !== null && !Array.isArray(values)) {
    return { name: basename(name), values: values as Record<string, unknown> };
  }
  throw new UsageError(
    `Cannot use ${JSON.stringify(values) ?? String(values)} of ${JSON.stringify(name)} as config: it is an object${file.endsWith(".json") ? "" : ", exported by default"}, such as { "upstream": "http://127.0.0.1:3000" }.`,
  );
}

function findConfig(folder: string): string | undefined {
  const found = CONFIG_NAMES.filter((name) => existsSync(resolve(folder, name)));
  if (found.length <= 1) return found[0];
  throw new UsageError(`Cannot choose between ${found.join(" and ")}: say which one by --config.`);
}

async function readConfig(file: string, name: string): Promise<unknown> {
  try {
    if (file.endsWith(".json")) return JSON.parse(readFileSync(file, "utf8").replace(/^\ufeff/, ""));
    return await importDefault(file);
  } catch (error) {
    throw new UsageError(`Cannot read the config ${JSON.stringify(name)}: ${messageOf(error)}`, { cause: error });
  }
}

async function importDefault(file: string): Promise<unknown> {
  if (!/\.[cm]?ts$/.test(file)) return (await import(pathToFileURL(file).href)).default;
  // Node 20 cannot take types away by itself.
  const { createJiti } = await import("jiti");
  return createJiti(import.meta.url, { moduleCache: false, fsCache: false }).import(file, { default: true });
}
