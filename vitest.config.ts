import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (name: string) => fileURLToPath(new URL(`./packages/${name}/src/index.ts`, import.meta.url));

export default defineConfig({
  resolve: {
    // Tests run on the sources, so that a test and what it tests never meet two copies of a class.
    alias: {
      "@sluice/core": source("core"),
      "@sluice/memory": source("memory"),
      "@sluice/sqlite": source("sqlite"),
      "@sluice/postgres": source("postgres"),
      "@sluice/redis": source("redis"),
      "@sluice/otel": source("otel"),
      "@sluice/conformance": source("conformance"),
      sluice: source("sluice"),
    },
  },
  test: {
    include: ["packages/*/test/**/*.test.ts", "test/**/*.test.ts"],
    globalSetup: ["test/servers/global-setup.ts"],
    testTimeout: 30_000,
    // The first hook that asks for a server may wait until it is installed.
    hookTimeout: 120_000,
  },
});
