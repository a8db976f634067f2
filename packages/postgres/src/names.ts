/**
 * The names of what a bucket uses in a database.
 *
 * @module
 */

/** Where the tables and functions of buckets are. */
export interface PlaceOptions {
  /** The table of the cells, with which the names of all else begin: 1 to 50 bytes; `"sluice_cells"` when left out. */
  readonly table?: string | undefined;
  /** The schema, which must exist; when left out, wherever the search path of the connection leads. */
  readonly schema?: string | undefined;
}

const DEFAULT_TABLE = "sluice_cells";

/** Bytes of a name; Postgres cuts longer ones short, and so takes one for another. */
const LONGEST = 63;

/** What is named after the table: the tables of the log, and the functions. */
const NAMED = [
  "logs",
  "pages",
  "find",
  "bucket",
  "bucket_a",
  "bucket_b",
  "bucket_rest",
  "bucket_idle",
  "bucket_rows",
  "window",
  "window_a",
  "window_b",
  "window_idle",
  "counter",
  "counter_look",
  "counter_idle",
  "log",
  "log_total",
  "log_time",
  "log_recount",
  "log_cancel",
  "log_exchange",
  "log_drop",
] as const;

/** Names for templates: what stands in braces in the SQL, quoted. */
export type Names = Readonly<Record<(typeof NAMED)[number] | "cells" | "cells_text" | "quote", string>>;

const LONGEST_SUFFIX = 1 + Math.max(...NAMED.map((name) => name.length));

/** Checks and quotes the names of a place. */
export function namesOf({ table = DEFAULT_TABLE, schema }: PlaceOptions): Names {
  checkName("table", table, LONGEST - LONGEST_SUFFIX);
  if (schema !== undefined) checkName("schema", schema, LONGEST);
  const path = schema === undefined ? "" : `${quote(schema)}.`;
  const cells = `${path}${quote(table)}`;
  const named = NAMED.map((name) => [name, `${path}${quote(`${table}_${name}`)}`]);
  return { ...Object.fromEntries(named), cells, cells_text: quoteText(cells), quote: dollars(cells) };
}

function checkName(what: string, name: string, longest: number): void {
  if (typeof name !== "string") {
    throw new TypeError(`Cannot use a ${what} name of type ${typeof name}: it is a string, such as "limits".`);
  }
  const length = Buffer.byteLength(name);
  if (length >= 1 && length <= longest && !/\p{Surrogate}|\0/u.test(name)) return;
  const rule = `it has 1 to ${longest} bytes, is well-formed and holds no NUL`;
  throw new RangeError(`Cannot use ${JSON.stringify(name.slice(0, 80))} as the name of a ${what}: ${rule}.`);
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string constant that reads the same whether or not the server takes backslashes for escapes. */
function quoteText(text: string): string {
  return `E'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}

/** Quotes for the body of a function, such as no name holds. */
function dollars(names: string): string {
  for (let i = 0; ; i++) {
    if (!names.includes(`$sluice${i}$`)) return `$sluice${i}$`;
  }
}
