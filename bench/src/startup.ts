/**
 * What it takes to load each entry: bytes, minified and gzipped, and the time of the import.
 *
 * Bundled by esbuild for Node, without drivers and frameworks. Times are those of a fresh
 * process each, less that of one which imports nothing. Prints rows as JSON.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { answer } from "./answer.js";
import type { Startup } from "./report.js";
import { type Series, series } from "./statistics.js";

const [runs = "9"] = process.argv.slice(2);
const here = fileURLToPath(new URL(".", import.meta.url));

const TOKEN_BUCKET_USER = `
  import { Limiter, tokenBucket } from "@sluice/core";
  import { InMemoryBucket } from "@sluice/memory";
  const limiter = new Limiter(new InMemoryBucket("10/s burst 20", { algorithm: tokenBucket }));
  console.log(limiter.tryAcquire("ada"));
`;
/** Whoever uses an entry has these already, or does not need them. */
const DRIVERS = [
  "pg",
  "ioredis",
  "better-sqlite3",
  "hono",
  "express",
  "koa",
  "fastify",
  "@nestjs/*",
  "@opentelemetry/*",
];
const OWN = [
  "@sluice/core",
  "@sluice/memory",
  "@sluice/sqlite",
  "@sluice/postgres",
  "@sluice/redis",
  "@sluice/http",
  "@sluice/http/node",
  "@sluice/http/express",
  "@sluice/http/fastify",
  "@sluice/http/koa",
  "@sluice/http/hono",
  "@sluice/http/fetch",
  "@sluice/http/express-store",
  "@sluice/http/fastify-store",
  "@sluice/http/throttler-storage",
  "@sluice/otel",
  "@sluice/conformance",
  "@sluice/cli",
  "sluice",
];
const ENTRIES: Readonly<Record<string, string>> = {
  "what a token-bucket user imports": TOKEN_BUCKET_USER,
  "the same without Limiter": `
    import { tokenBucket } from "@sluice/core";
    import { InMemoryBucket } from "@sluice/memory";
    console.log(new InMemoryBucket("10/s", { algorithm: tokenBucket }).tryPut("ada"));`,
  ...Object.fromEntries(OWN.map((entry) => [entry, all(entry)])),
  "rate-limiter-flexible": `import { RateLimiterMemory } from "rate-limiter-flexible"; console.log(RateLimiterMemory);`,
  bottleneck: `import Bottleneck from "bottleneck"; console.log(Bottleneck);`,
  limiter: `import { RateLimiter } from "limiter"; console.log(RateLimiter);`,
  "p-queue": `import PQueue from "p-queue"; console.log(PQueue);`,
};

const times = importTimes();
const rows: Startup[] = [];
for (const [name, source] of Object.entries(ENTRIES)) rows.push(await measure(name, source));
answer(`Times of ${runs} processes each, less that of one that imports nothing.`, rows);

function all(entry: string): string {
  return `import * as all from ${JSON.stringify(entry)}; console.log(all);`;
}

async function measure(name: string, contents: string): Promise<Startup> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: here, loader: "js" },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2023",
    platform: "node",
    external: DRIVERS,
  });
  const bytes = (outputFiles[0] as { contents: Uint8Array }).contents;
  return {
    name,
    minified: bytes.length,
    gzipped: gzipSync(bytes, { level: 9 }).length,
    time: times.get(name) as Series,
  };
}

/** Milliseconds of each import, over rounds in which all take turns: a process that imports it, less one that does not. */
function importTimes(): Map<string, Series> {
  const measured = new Map(Object.keys(ENTRIES).map((name) => [name, [] as number[]]));
  for (let round = 0; round < Number(runs); round++) {
    const empty = processTime("");
    for (const [name, source] of Object.entries(ENTRIES)) measured.get(name)?.push(processTime(source) - empty);
  }
  return new Map([...measured].map(([name, list]) => [name, series(list)]));
}

function processTime(source: string): number {
  const silent = source.replaceAll("console.log", "Boolean");
  const start = performance.now();
  execFileSync(process.execPath, ["--input-type=module", "--eval", silent], { cwd: here, stdio: "inherit" });
  return performance.now() - start;
}
