import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const packages = fileURLToPath(new URL("./packages/", import.meta.url));

export default defineConfig({
  resolve: {
    // Tests run on the sources, so that a test and what it tests never meet two copies of a class.
    alias: [
      { find: /^@sluice\/(\w+)$/, replacement: `${packages}$1/src/index.ts` },
      { find: /^@sluice\/http\/([\w-]+)$/, replacement: `${packages}http/src/$1/index.ts` },
      { find: /^sluice$/, replacement: `${packages}sluice/src/index.ts` },
    ],
  },
  test: {
    include: ["packages/*/test/**/*.test.ts", "test/**/*.test.ts"],
    globalSetup: ["test/servers/global-setup.ts"],
    testTimeout: 30_000,
    // Much of a test's time it waits for servers and processes.
    maxWorkers: 2,
    // The first hook that asks for a server may wait until it is installed.
    hookTimeout: 120_000,
  },
});
