import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");

// By the standard they are checked with all other tests.
test("the types of @rateLimited hold with experimentalDecorators too", { timeout: 60_000 }, () => {
  const project = fileURLToPath(new URL("tsconfig.experimental.json", import.meta.url));
  const { stdout, status } = spawnSync(process.execPath, [tsc, "--project", project], { encoding: "utf8" });
  expect([stdout, status]).toEqual(["", 0]);
});
