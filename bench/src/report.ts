/**
 * From measurements to tables.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, totalmem } from "node:os";
import type { Plot } from "./plot.js";
import type { Timing } from "./statistics.js";

/** What a program on a server prints for one contestant. */
export interface ServerRow {
  readonly name: string;
  readonly perSecond: number;
  /** Microseconds of processor time a decision. */
  readonly clientCpu: number;
  readonly serverCpu: number;
  /** Milliseconds. */
  readonly p99: number;
  /** How many more than may be were admitted in a round. */
  readonly excess: number;
}

/** What `memory-size.js` prints. */
export interface Size {
  readonly name: string;
  readonly bytesPerKey: number;
  readonly longestPause: number;
  readonly left: number;
}

/** What `startup.js` prints for one entry. */
export interface Startup {
  readonly name: string;
  readonly minified: number;
  readonly gzipped: number;
  readonly time: number;
}

/** What `http-serve.js` prints: nanoseconds from one answer to the next, and of the proxy's processor for each. */
export interface Proxies {
  readonly wall: readonly Timing[];
  readonly cpu: readonly Timing[];
}

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map((_, i) => (i === 0 ? "---" : "---:")), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Timings in nanoseconds, told in `unit`: of each how fast it is, or how long it takes, against the first. */
export function timings(unit: "ns" | "us", what: string, compare: "speed" | "time", of = "the first") {
  const scale = unit === "us" ? 1000 : 1;
  const digits = unit === "us" ? 2 : 0;
  return (rows: readonly Timing[]): string =>
    table(
      ["", `${unit} ${what}`, "least - most", `${compare} of ${of}`],
      rows.map(({ name, median, least, most, ofFloor }) => [
        name,
        (median / scale).toFixed(digits),
        `${(least / scale).toFixed(digits)} - ${(most / scale).toFixed(digits)}`,
        `${(compare === "speed" ? ofFloor : 1 / ofFloor).toFixed(2)}x`,
      ]),
    );
}

/** What is added to a request, in microseconds, against the first and against a peer. */
export function overheads(peer: string) {
  return (rows: readonly Timing[]): string => {
    const ofPeer = rows.find(({ name }) => name === peer)?.median ?? Number.NaN;
    return table(
      ["", "us a request", "least - most", "time of the first", `time of ${peer}`],
      rows.map(({ name, median, least, most, ofFloor }) => [
        name,
        (median / 1000).toFixed(2),
        `${(least / 1000).toFixed(2)} - ${(most / 1000).toFixed(2)}`,
        `${(1 / ofFloor).toFixed(2)}x`,
        `${(median / ofPeer).toFixed(2)}x`,
      ]),
    );
  };
}

export function proxies({ wall, cpu }: Proxies): string {
  return table(
    ["", "requests/s", "least - most", "rate of the first", "CPU of the proxy, us a request", "CPU of the first"],
    wall.map(({ name, median, least, most, ofFloor }, i) => {
      const own = cpu[i] as Timing;
      return [
        name,
        (1e9 / median).toFixed(0),
        `${(1e9 / most).toFixed(0)} - ${(1e9 / least).toFixed(0)}`,
        `${ofFloor.toFixed(2)}x`,
        (own.median / 1000).toFixed(1),
        `${(1 / own.ofFloor).toFixed(2)}x`,
      ];
    }),
  );
}

export function servers(rows: readonly ServerRow[]): string {
  const sluice = rows.find(({ name }) => name === "sluice")?.perSecond ?? Number.NaN;
  return table(
    ["", "decisions/s", "Sluice is", "client CPU, us", "server CPU, us", "p99, ms"],
    rows.map(({ name, perSecond, clientCpu, serverCpu, p99, excess }) => [
      excess === 0 ? name : `${name} (wrong: admits ${Math.abs(excess)} too ${excess > 0 ? "many" : "few"})`,
      perSecond.toFixed(0),
      `${(sluice / perSecond).toFixed(2)}x`,
      clientCpu.toFixed(1),
      serverCpu.toFixed(1),
      p99.toFixed(1),
    ]),
  );
}

export function sizes(rows: readonly Size[]): string {
  return table(
    ["", "bytes a key", "longest pause while they expire", "left afterwards"],
    rows.map(({ name, bytesPerKey, longestPause, left }) =>
      name === "strings"
        ? ["the strings alone, in an array", bytesPerKey.toFixed(0), "", ""]
        : [name, bytesPerKey.toFixed(0), `${longestPause.toFixed(1)} ms`, `${(left / 2 ** 20).toFixed(1)} MiB`],
    ),
  );
}

export function bytesEach(rows: readonly { name: string; bytes: number }[]): string {
  return table(
    ["", "bytes each"],
    rows.map(({ name, bytes }) => [name, bytes.toFixed(0)]),
  );
}

export function startups(rows: readonly Startup[]): string {
  return table(
    ["", "bytes, minified", "gzipped", "ms to import"],
    rows.map(({ name, minified, gzipped, time }) => [name, `${minified}`, `${gzipped}`, time.toFixed(0)]),
  );
}

export function points({ series }: Plot): string {
  const xs = Object.values(series)[0]?.map(([x]) => x.toLocaleString("en")) ?? [];
  return table(
    ["", ...xs],
    Object.entries(series).map(([line, values]) => [line, ...values.map(([, y]) => y.toFixed(0))]),
  );
}

/** The machine, and what runs on it. */
export function machine(quick: boolean): string {
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `Node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model.trim()}, ${memory}, ${quick ? "quick" : "full"} run.`;
}

/** The versions of these packages, as they are installed. */
export function versions(names: readonly string[]): string {
  const require = createRequire(import.meta.url);
  return names.map((name) => `${name} ${versionOf(require, name)}`).join(", ");
}

function versionOf(require: NodeJS.Require, name: string): string {
  // The file is not always among a package's exports: it is looked for where the package would be.
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      return (JSON.parse(readFileSync(`${folder}/${name}/package.json`, "utf8")) as { version: string }).version;
    } catch {}
  }
  return "?";
}
