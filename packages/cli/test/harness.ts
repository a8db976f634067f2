import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { run } from "../src/run.js";

/** A line of the Common Log Format, `seconds` after noon on 17 May 2024. */
export function commonLine(seconds: number, ip = "192.0.2.1", request = "GET /a HTTP/1.1", user = "-"): string {
  const time = new Date(Date.UTC(2024, 4, 17, 12, 0, seconds)).toISOString();
  return `${ip} - ${user} [17/May/2024:${time.slice(11, 19)} +0000] "${request}" 200 5`;
}

/** What the command did. */
export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** What can be given on standard input. */
export type Input = string | Uint8Array | AsyncIterable<string>;

/** Runs the command with standard input given. */
export async function sluice(argv: readonly string[], input: Input = ""): Promise<Outcome> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const isWhole = typeof input === "string" || input instanceof Uint8Array;
  const code = await run(argv, { stdin: isWhole ? Readable.from([Buffer.from(input)]) : input, stdout, stderr });
  stdout.end();
  stderr.end();
  return { code, stdout: await text(stdout), stderr: await text(stderr) };
}

/** Runs `replay --json` and gives back the report. */
export async function replayed(argv: readonly string[], input: Input = "") {
  const { code, stdout, stderr } = await sluice(["replay", ...argv, "--json"], input);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

/** Writes files to a new directory, hands their paths over, and removes them. */
export async function withFiles(
  contents: readonly (string | Uint8Array)[],
  use: (paths: string[]) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "sluice-"));
  try {
    const paths = contents.map((_, i) => join(directory, `log.${i}`));
    await Promise.all(contents.map((content, i) => writeFile(paths[i] ?? "", content)));
    await use(paths);
  } finally {
    await rm(directory, { recursive: true });
  }
}
