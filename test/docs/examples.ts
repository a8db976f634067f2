import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A piece of TypeScript that the documentation shows. */
export interface Example {
  /** The file and line that it begins on. */
  readonly place: string;
  readonly code: string;
  /** Whether it can run here; one that is marked `no-run` is type-checked only. */
  readonly runs: boolean;
}

/** The `ts` blocks of the README and the guides, and the `@example` blocks of all docstrings. */
export function findExamples(): Example[] {
  const guides = filesBelow(join(ROOT, "docs"), ".md").filter((file) => !file.includes(`${join("docs", "site")}`));
  const readmes = [join(ROOT, "README.md"), ...filesBelow(join(ROOT, "packages"), "README.md")];
  const sources = filesBelow(join(ROOT, "packages"), ".ts").filter((file) => /[\\/]src[\\/]/.test(file));
  return [...readmes, ...guides, ...sources].flatMap(examplesOf);
}

/** The first `ts` block of a guide. */
export function guideExample(name: string): string {
  const example = examplesOf(join(ROOT, "docs", `${name}.md`))[0];
  if (example === undefined) throw new Error(`docs/${name}.md shows no example.`);
  return example.code;
}

function examplesOf(file: string): Example[] {
  const text = readFileSync(file, "utf8").replaceAll("\r\n", "\n");
  const fence = file.endsWith(".md")
    ? /^```ts( no-run)?\n([\s\S]*?)^```$/gm
    : /^ *\* ```ts( no-run)?\n([\s\S]*?)^ *\* ```$/gm;
  return [...text.matchAll(fence)].map((match) => ({
    place: `${relative(ROOT, file)}:${text.slice(0, match.index).split("\n").length}`,
    code: (match[2] as string).replace(/^ *\* ?/gm, file.endsWith(".md") ? "$&" : ""),
    runs: match[1] === undefined,
  }));
}

function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/[\\/](node_modules|dist)[\\/]/.test(file))
    .sort();
}
