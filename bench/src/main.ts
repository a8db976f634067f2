/**
 * The bench: see `--help`.
 *
 * Each case runs in a process of its own.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Case, PARTS, type Part } from "./parts.js";
import { type Plot, toSvg } from "./plot.js";
import { machine, versions } from "./report.js";

const HELP = `npm run bench -- [PART...] [--quick] [--write] [--profile cpu|heap]

Parts: ${Object.keys(PARTS).join(", ")}; all when none is named.

  --quick    fewer rounds: to see that it runs, and roughly what comes out
  --write    put the tables into bench/README.md, what was measured into
             bench/results, and the plots into docs/images
  --profile  write a profile of each process, of where time goes (cpu) or what
             is allocated (heap), into bench/profiles; open it in Chrome DevTools
`;

const { values: flags, positionals } = readArguments();
const quick = flags.quick === true;
for (const name of positionals.length === 0 ? Object.keys(PARTS) : positionals) run(name, PARTS[name] as Part);

function run(name: string, part: Part): void {
  const results: Record<string, unknown> = {};
  const texts = part.cases.map((one) => {
    const answer = measure(one);
    results[one.title] = answer;
    if (flags.write === true && one.image !== undefined) writeImage(one.image, answer as Plot);
    return `${one.title}\n\n${one.tell(answer as never)}`;
  });
  const peers = part.peers.length === 0 ? [] : [`${versions(part.peers)}.`];
  const text = [[machine(quick), ...peers].join(" "), ...texts].join("\n\n");
  process.stdout.write(`${text}\n\n`);
  if (flags.write === true) writeReport(name, text, { run: machine(quick), versions: versions(part.peers), results });
}

/** What the programs of a case print; of several programs, a list. */
function measure(one: Case): unknown {
  const runs = (quick ? one.quick : one.full).map((words) => {
    process.stderr.write(`bench: ${one.title}${one.full.length > 1 ? `: ${words[0]}` : ""} ...\n`);
    const script = fileURLToPath(new URL(one.file, import.meta.url));
    const output = execFileSync(process.execPath, [...(one.node ?? []), ...profiling(), script, ...words], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    return JSON.parse(output) as unknown;
  });
  return runs.length === 1 ? runs[0] : runs;
}

function profiling(): string[] {
  if (flags.profile === undefined) return [];
  const folder = fileURLToPath(new URL("../profiles/", import.meta.url));
  return [`--${flags.profile}-prof`, `--${flags.profile}-prof-dir=${folder}`];
}

/** Puts the tables of one part into the page, in the place of those of its last run, and the numbers beside it. */
function writeReport(name: string, text: string, result: unknown): void {
  const readme = new URL("../README.md", import.meta.url);
  const [start, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const page = readFileSync(readme, "utf8");
  const from = page.indexOf(start);
  const to = page.indexOf(end);
  if (from < 0 || to < 0) throw new Error(`bench/README.md has no place for ${name}: mark it by ${start} and ${end}.`);
  writeFileSync(readme, `${page.slice(0, from + start.length)}\n\n${text}\n\n${page.slice(to)}`);
  const results = new URL("../results/", import.meta.url);
  mkdirSync(results, { recursive: true });
  writeFileSync(new URL(`${name}.json`, results), `${JSON.stringify(result, null, 2)}\n`);
}

function writeImage(name: string, plot: Plot): void {
  const images = new URL("../../docs/images/", import.meta.url);
  mkdirSync(images, { recursive: true });
  writeFileSync(new URL(name, images), toSvg(plot));
}

function readArguments() {
  try {
    const read = parseArgs({
      allowPositionals: true,
      options: {
        quick: { type: "boolean" },
        write: { type: "boolean" },
        profile: { type: "string" },
        help: { type: "boolean" },
      },
    });
    if (read.values.help === true) end(0, HELP);
    const wrong = read.positionals.filter((name) => !Object.hasOwn(PARTS, name));
    if (wrong.length > 0)
      throw new Error(`there is no ${wrong.join(", ")}; the parts are ${Object.keys(PARTS).join(", ")}`);
    if (!["cpu", "heap", undefined].includes(read.values.profile)) {
      throw new Error(`there is no profile ${read.values.profile}; it is cpu or heap`);
    }
    return read;
  } catch (error) {
    return end(2, `bench: ${error instanceof Error ? error.message : error}. See --help.\n`);
  }
}

function end(code: number, text: string): never {
  (code === 0 ? process.stdout : process.stderr).write(text);
  process.exit(code);
}
