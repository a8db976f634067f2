/**
 * `npm test`: format, lint, types, documentation, and all tests; each step with its time.
 *
 * Words after `--` go to the test runner: `npm test -- acquire`.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { bootstrap, root, say } from "./bootstrap.mjs";

const filters = process.argv.slice(2);
const bin = (name, file) => [process.execPath, join(root, "node_modules", name, ...file.split("/"))];
const results = join(root, "node_modules", ".cache", "sluice", "tests.json");

bootstrap();
step("Format and lint", ...bin("@biomejs/biome", "bin/biome"), "ci", "--error-on-warnings", ".");
step("Forgotten promises", ...bin("eslint", "bin/eslint.js"), "--max-warnings", "0", "packages", "test", "bench");
step("Types of the tests", ...bin("typescript", "bin/tsc"), "--project", "test");
step("Types of the bench", ...bin("typescript", "bin/tsc"), "--project", "bench", "--noEmit");
step("Documentation", ...bin("typedoc", "bin/typedoc"), "--emit", "none", "--logLevel", "Warn");
mkdirSync(join(results, ".."), { recursive: true });
rmSync(results, { force: true });
const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${results}`];
step("Tests", ...bin("vitest", "vitest.mjs"), "run", ...reporters, ...filters);

function step(title, command, ...args) {
  const start = Date.now();
  say(`${title} ...`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (title === "Tests") count();
  if (status !== 0) {
    say(`${title}: failed.`);
    process.exit(status ?? 1);
  }
  say(`${title}: fine, in ${((Date.now() - start) / 1000).toFixed(1)} s.`);
}

function count() {
  if (!existsSync(results)) return;
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(results, "utf8"));
  process.stdout.write(`${numPassedTests} passed, ${numFailedTests} failed\n`);
}
