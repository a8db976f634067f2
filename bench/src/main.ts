/**
 * The bench: `npm run bench [-- NAME...] [--quick] [--write]`.
 *
 * Each case runs in a process of its own. `--write` puts the table into bench/README.md.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import type { Timing } from "./statistics.js";
import { REDIS, type ServerRow, STORES, type StoreCase, serverRows, timingRows } from "./stores.js";

interface Size {
  readonly name: string;
  readonly bytesPerKey: number;
  readonly longestPause: number;
  readonly left: number;
}

const NAMES = ["speed", "size", ...Object.keys(STORES), "redis"];
const flags = process.argv.slice(2).filter((word) => word.startsWith("--"));
const names = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const wrong = [
  ...names.filter((name) => !NAMES.includes(name)),
  ...flags.filter((flag) => !["--quick", "--write"].includes(flag)),
];
if (wrong.length > 0) {
  process.stderr.write(
    `bench: there is no ${wrong.join(", ")}. Name some of ${NAMES.join(", ")}, with --quick or --write.\n`,
  );
  process.exit(2);
}
const quick = flags.includes("--quick");
const chosen = names.length === 0 ? NAMES : names;

const machine = `Node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model.trim()}, ${quick ? "quick" : "full"} run.`;
const parts: Record<string, () => readonly string[]> = {
  speed: () => [...speed()],
  size: () => [size()],
  ...Object.fromEntries(Object.entries(STORES).map(([name, cases]) => [name, () => cases.map(storeTable)])),
  redis: () => REDIS.map(redisTable),
};
for (const name of chosen) {
  const text = [machine, ...(parts[name]?.() ?? [])].join("\n\n");
  process.stdout.write(`${text}\n\n`);
  if (flags.includes("--write")) writeReport(name, text);
}

function* speed(): Generator<string> {
  for (const name of ["token-bucket", "log"]) {
    for (const keys of [1, 10_000, 1_000_000]) {
      progress(`${name}, ${keys.toLocaleString("en")} keys`);
      const rounds = quick ? 7 : 31;
      const calls = quick ? 100_000 : 300_000;
      const timings = JSON.parse(child("memory-speed.js", [name, `${keys}`, `${rounds}`, `${calls}`])) as Timing[];
      const rows = timings.map((row) => [
        row.name,
        row.median.toFixed(0),
        `${row.least.toFixed(0)} - ${row.most.toFixed(0)}`,
        `${row.ofFloor.toFixed(2)}x`,
      ]);
      yield `${name === "log" ? "The default log, limit 10" : "Token bucket"}, ${keys.toLocaleString("en")} ${keys === 1 ? "hot key" : "keys"}\n\n${table(["", "ns a call", "least - most", "speed of the hand-written loop"], rows)}`;
    }
  }
}

function storeTable(store: StoreCase): string {
  const rows = timingRows(JSON.parse(measure(store)) as Timing[]);
  return `${store.title}\n\n${table(["", "us a decision", "least - most", "speed of the first"], rows)}`;
}

function redisTable(store: StoreCase): string {
  const rows = serverRows(JSON.parse(measure(store)) as ServerRow[]);
  const head = ["", "decisions/s", "Sluice is", "client CPU, us", "server CPU, us", "p99, ms"];
  return `${store.title}\n\n${table(head, rows)}`;
}

function measure({ title, file, args }: StoreCase): string {
  progress(title);
  return child(file, [...args[quick ? 1 : 0]]);
}

function size(): string {
  const contestants = [
    "strings",
    "sluice",
    "hitlimit",
    "hono-rate-limiter",
    ...(quick ? [] : ["rate-limiter-flexible"]),
  ];
  const rows = contestants.map((name) => {
    progress(`a million keys: ${name} (20 s)`);
    const result = JSON.parse(child("memory-size.js", [name], ["--expose-gc", "--max-old-space-size=8192"])) as Size;
    const kept = name === "strings" ? "" : `${(result.left / 2 ** 20).toFixed(1)} MiB`;
    const pause = name === "strings" ? "" : `${result.longestPause.toFixed(1)} ms`;
    return [name === "strings" ? "the strings alone, in an array" : name, result.bytesPerKey.toFixed(0), pause, kept];
  });
  return `A million keys of 14 characters, one rate\n\n${table(["", "bytes a key", "longest pause while they expire", "left afterwards"], rows)}`;
}

function table(head: string[], rows: string[][]): string {
  const lines = [head, head.map((_, i) => (i === 0 ? "---" : "---:")), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function child(file: string, args: string[], nodeArgs: string[] = []): string {
  const script = fileURLToPath(new URL(file, import.meta.url));
  return execFileSync(process.execPath, [...nodeArgs, script, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
}

function progress(text: string): void {
  process.stderr.write(`bench: ${text} ...\n`);
}

/** Puts the tables of one part into the page, in the place of those of its last run. */
function writeReport(name: string, text: string): void {
  const readme = new URL("../README.md", import.meta.url);
  const [start, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const page = readFileSync(readme, "utf8");
  const from = page.indexOf(start);
  const to = page.indexOf(end);
  if (from < 0 || to < 0) throw new Error(`bench/README.md has no place for ${name}: mark it by ${start} and ${end}.`);
  writeFileSync(readme, `${page.slice(0, from + start.length)}\n\n${text}\n\n${page.slice(to)}`);
}
