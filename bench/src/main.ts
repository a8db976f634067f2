/**
 * The bench: see `--help`.
 *
 * Each case runs in a process of its own.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Answer } from "./answer.js";
import { machine, versions } from "./machine.js";
import { type Case, GROUPS, PARTS, type Part } from "./parts.js";
import { type Plot, toSvg } from "./plot.js";

const HELP = `npm run bench -- [PART...] [--quick] [--write] [--profile cpu|heap] [--only NAME]

Parts: ${Object.keys(PARTS).join(", ")}; all when none is named.
${Object.entries(GROUPS).map(([group, parts]) => `${group} stands for ${parts.join(" and ")}.`)}

  --quick    fewer rounds: to see that it runs, and roughly what comes out
  --write    put the tables into bench/README.md, what was measured into
             bench/results, and the plots into docs/images
  --profile  write a profile of each process, of where time goes (cpu) or what
             is allocated (heap), into bench/profiles; open it in Chrome DevTools
  --only     measure one contestant alone, as the tables name it: for a profile
`;

const { values: flags, positionals } = readArguments();
const quick = flags.quick === true;
const named = positionals.length === 0 ? Object.keys(PARTS) : positionals.flatMap((name) => GROUPS[name] ?? [name]);
for (const name of new Set(named)) run(name, PARTS[name] as Part);

/** What is wrong in one part is told, and does not take the others away. */
function run(name: string, part: Part): void {
  try {
    measurePart(name, part);
  } catch (error) {
    process.stderr.write(`bench: ${name} ended: ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}

function measurePart(name: string, part: Part): void {
  const measured = part.cases.map((one) => ({ one, answer: measure(one) }));
  const texts = measured.map(({ one, answer }) => `${one.title}\n\n${answer.settings}\n\n${one.tell(answer as never)}`);
  const peers = part.peers.length === 0 ? [] : [`${versions(part.peers)}.`];
  const text = [[machine(quick), ...peers].join(" "), ...texts].join("\n\n");
  process.stdout.write(`${text}\n\n`);
  if (flags.write !== true) return;
  const cases = measured.map(({ one, answer }) => ({ title: one.title, words: wordsOf(one), ...answer }));
  const command = ["npm run bench --", ...process.argv.slice(2)].join(" ");
  const about = { run: machine(quick), date: new Date().toISOString(), command, versions: versions(part.peers) };
  writeReport(name, text, { ...about, cases });
  for (const { one, answer } of measured) if (one.image !== undefined) writeImage(one.image, answer.rows[0] as Plot);
}

/** What the programs of a case print: the rows of all of them. */
function measure(one: Case): Answer<unknown> {
  const answers = wordsOf(one).map((words) => {
    process.stderr.write(`bench: ${one.title}${one.full.length > 1 ? `: ${words[0]}` : ""} ...\n`);
    const script = fileURLToPath(new URL(one.file, import.meta.url));
    const output = execFileSync(process.execPath, [...(one.node ?? []), ...profiling(), script, ...words], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
      maxBuffer: 2 ** 26,
      env: { ...process.env, ...(flags.only === undefined ? {} : { SLUICE_BENCH_ONLY: flags.only }) },
    });
    return JSON.parse(output) as Answer<unknown>;
  });
  return { settings: (answers[0] as Answer).settings, rows: answers.flatMap(({ rows }) => rows) };
}

function wordsOf(one: Case): readonly (readonly string[])[] {
  return quick ? one.quick : one.full;
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
  writeFileSync(new URL(`${name}.json`, results), `${oneLineArrays(JSON.stringify(result, null, 2))}\n`);
}

/** Lists of numbers are long, and say nothing line by line. */
function oneLineArrays(json: string): string {
  return json.replace(/\[[\s\d.,e+-]*\]/g, (list) => list.replace(/\s+/g, " "));
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
        only: { type: "string" },
        help: { type: "boolean" },
      },
    });
    if (read.values.help === true) end(0, HELP);
    const wrong = read.positionals.filter((name) => !Object.hasOwn({ ...PARTS, ...GROUPS }, name));
    if (wrong.length > 0)
      throw new Error(`there is no ${wrong.join(", ")}; the parts are ${Object.keys(PARTS).join(", ")}`);
    if (!["cpu", "heap", undefined].includes(read.values.profile)) {
      throw new Error(`there is no profile ${read.values.profile}; it is cpu or heap`);
    }
    if (read.values.only !== undefined && read.values.write === true) {
      throw new Error("one contestant alone compares with nobody: --only and --write do not go together");
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
