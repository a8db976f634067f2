/**
 * Turns the Lua and SQL sources of the stores into TypeScript, so that a package holds no
 * file that a bundler could leave behind: each folder with such files gets an `embedded.ts`
 * that exports the text of each, `token-bucket.lua` as `tokenBucket`.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** The Lua and SQL sources below the `src` folders of these packages. */
export function scriptsBelow(packages) {
  return packages
    .map((folder) => join(folder, "src"))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder, { withFileTypes: true, recursive: true })
        .filter((entry) => entry.isFile() && /\.(lua|sql)$/.test(entry.name))
        .map((entry) => join(entry.parentPath ?? entry.path, entry.name)),
    )
    .sort();
}

/** Writes the `embedded.ts` of each folder that holds scripts, where it changed. */
export function embed(packages) {
  const folders = new Map();
  for (const file of scriptsBelow(packages)) {
    const text = readFileSync(file, "utf8").replaceAll("\r\n", "\n");
    const line = `export const ${constant(file)}: string = ${JSON.stringify(text)};\n`;
    folders.set(
      dirname(file),
      `${folders.get(dirname(file)) ?? "// Made by scripts/embed.mjs from the files beside it.\n"}${line}`,
    );
  }
  for (const [folder, text] of folders) {
    const target = join(folder, "embedded.ts");
    if (!existsSync(target) || readFileSync(target, "utf8") !== text) writeFileSync(target, text);
  }
}

function constant(file) {
  return basename(file)
    .replace(/\.(lua|sql)$/, "")
    .replace(/-(.)/g, (_, letter) => letter.toUpperCase());
}
