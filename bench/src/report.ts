/**
 * From measurements to tables.
 *
 * One rule for all of them: the first row is the floor; a row whose name begins with "sluice" is
 * ours; the others are peers, save what is by hand, too, or decides nothing. Each row is
 * compared with the floor and with the best peer, round by round.
 *
 * @module
 */
import type { Answer } from "./answer.js";
import type { Plot } from "./plot.js";
import { type Measured, median, type Series } from "./statistics.js";

/** What `startup.js` prints for one entry. */
export interface Startup {
  readonly name: string;
  readonly minified: number;
  readonly gzipped: number;
  /** Milliseconds. */
  readonly time: Series;
}

/** How one measure is told. */
interface Column {
  readonly measure: string;
  readonly title: string;
  /** In the unit of the title. */
  readonly told: (value: number) => string;
  /** Which number of the rounds; the median when left out. */
  readonly pick?: "median" | "least" | "most";
  /** Whether it is told as a share of the floor's, too. */
  readonly ofFloor?: boolean;
}

/** How a table looks. */
interface Look {
  /** What is compared. */
  readonly main: Column;
  /** As what: time and size are the better the less, speed is the better the more. */
  readonly compare: "speed" | "time" | "size";
  /** What else is told. */
  readonly others?: readonly Column[];
}

const NO_PEER = /^sluice|by hand|hand-written|^PING$|^SELECT 1$|^the server alone$/;

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map((_, i) => (i === 0 ? "---" : "---:")), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** One measure, or several, of each contestant. */
export function compared({ main, compare, others = [] }: Look): (answer: Answer) => string {
  return ({ rows }) => {
    const [floor] = rows as [Measured];
    const best = bestPeer(rows, main.measure);
    const ratio = (row: Measured, to: Measured, { measure }: Column) => {
      const [one, other] = [row.measures[measure], to.measures[measure]];
      const isSpeed = compare === "speed" && measure === main.measure;
      return tellShare(isSpeed ? shareOf(other, one) : shareOf(one, other));
    };
    const isRanged = rows.some(({ measures }) => (measures[main.measure]?.rounds.length ?? 0) > 1);
    const cells = (row: Measured, column: Column) => [
      tellOne(row, column),
      ...(column.ofFloor === true ? [ratio(row, floor, column)] : []),
    ];
    return table(
      [
        "",
        main.title,
        ...(isRanged ? ["least - most"] : []),
        `${compare} of _${floor.name}_`,
        ...(best === undefined ? [] : [`${compare} of _${best.name}_, the best peer`]),
        ...others.flatMap(({ title, ofFloor }) => [title, ...(ofFloor === true ? [`of _${floor.name}_`] : [])]),
      ],
      rows.map((row) => [
        row.name,
        tellOne(row, main),
        ...(isRanged ? [tellRange(row, main)] : []),
        ratio(row, floor, main),
        ...(best === undefined ? [] : [ratio(row, best, main)]),
        ...others.flatMap((column) => cells(row, column)),
      ]),
    );
  };
}

/** Nanoseconds, told in `unit`. */
export function timings(unit: "ns" | "us", what: string, compare: "speed" | "time", others: readonly Column[] = []) {
  const told = (ns: number) => (unit === "us" ? (ns / 1000).toFixed(2) : ns.toFixed(0));
  return compared({ main: { measure: "ns", title: `${unit} ${what}`, told }, compare, others });
}

/** Nanoseconds, told as how many in a second. */
export function rates(title: string, others: readonly Column[] = []) {
  const told = (ns: number) => (1e9 / ns).toFixed(0);
  return compared({ main: { measure: "ns", title, told }, compare: "speed", others });
}

/** Bytes. */
export function sizes(title: string, others: readonly Column[] = []) {
  const told = (bytes: number) => bytes.toFixed(0);
  return compared({ main: { measure: "bytes", title, told }, compare: "size", others });
}

/** A measure, told in its own unit or in a multiple of it. */
export function column(measure: string, title: string, digits: number, unit = 1): Column {
  return { measure, title, told: (value) => (value / unit).toFixed(digits) };
}

export function startups({ rows }: Answer<Startup>): string {
  return table(
    ["", "bytes, minified", "gzipped", "ms to import", "least - most"],
    rows.map(({ name, minified, gzipped, time }) => [
      name,
      `${minified}`,
      `${gzipped}`,
      time.median.toFixed(0),
      `${time.least.toFixed(0)} - ${time.most.toFixed(0)}`,
    ]),
  );
}

export function points({ rows: [plot] }: Answer<Plot>): string {
  const { series } = plot as Plot;
  const xs = Object.values(series)[0]?.map(({ x }) => x.toLocaleString("en")) ?? [];
  return table(
    ["", ...xs],
    Object.entries(series).map(([line, values]) => [
      line,
      ...values.map(({ y }) => `${y.median.toFixed(0)} (${y.least.toFixed(0)} - ${y.most.toFixed(0)})`),
    ]),
  );
}

function bestPeer(rows: readonly Measured[], measure: string): Measured | undefined {
  const peers = rows.slice(1).filter(({ name }) => !NO_PEER.test(name));
  const of = ({ measures }: Measured) => measures[measure]?.median ?? Number.POSITIVE_INFINITY;
  return peers.sort((a, b) => of(a) - of(b))[0];
}

/** How many times `to` is `one`: the median over the rounds that both took. */
function shareOf(one: Series | undefined, to: Series | undefined): number | undefined {
  const shares = (one?.rounds ?? []).flatMap((value, round) => {
    const other = to?.rounds[round];
    return other === undefined ? [] : [value / other];
  });
  return shares.length === 0 ? undefined : median(shares);
}

function tellShare(share: number | undefined): string {
  return share === undefined ? "" : `${share.toFixed(2)}x`;
}

function tellOne({ measures }: Measured, { measure, told, pick = "median" }: Column): string {
  const value = measures[measure]?.[pick];
  return value === undefined ? "" : told(value);
}

/** The lower number first, whichever way the unit goes. */
function tellRange({ measures }: Measured, { measure, told }: Column): string {
  const { least = Number.NaN, most = Number.NaN } = measures[measure] ?? {};
  return [told(least), told(most)].sort((a, b) => Number(a) - Number(b)).join(" - ");
}
