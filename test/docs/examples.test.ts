import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";
import { beforeAll, describe, expect, test } from "vitest";
import { findExamples } from "./examples.js";

const FOLDER = fileURLToPath(new URL("../.examples/", import.meta.url));
const examples = findExamples().map((example, i) => ({ ...example, file: join(FOLDER, `example-${i}.ts`) }));

/** What an example says it gives, as a check: `code; // => value`. */
function withChecks(code: string): string {
  const checked = code.replace(/^(?!\s*\/\/)(.*?);\s*\/\/ => (.+)$/gm, (_, statement: string, value: string) => {
    const [, head = "", expression = statement] = /^(const \w+ = )(.*)$/.exec(statement.trim()) ?? [];
    return head === ""
      ? `__expect(${expression}).toEqual(${value});`
      : `${statement}; __expect(${head.split(" ")[1]}).toEqual(${value});`;
  });
  return `import { expect as __expect } from "vitest";\n__expect;\n${checked}\nexport {};\n`;
}

beforeAll(() => {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  for (const { file, code } of examples) writeFileSync(file, withChecks(code));
});

describe("documentation examples", () => {
  test("there are examples", () => {
    expect(examples.length).toBeGreaterThan(20);
  });

  test("all of them pass the type check", () => {
    const program = ts.createProgram(
      examples.map(({ file }) => file),
      {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.NodeNext,
        moduleResolution: ts.ModuleResolutionKind.NodeNext,
        lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
        types: ["node"],
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        skipLibCheck: true,
      },
    );
    const problems = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
      const example = examples.find((candidate) => candidate.file === file?.fileName);
      return `${example?.place ?? file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
    });
    expect(problems).toEqual([]);
  });

  test.each(examples.filter(({ runs }) => runs))("$place gives what it says", async ({ file }) => {
    await import(/* @vite-ignore */ pathToFileURL(file).href);
  });
});
