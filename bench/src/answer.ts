import type { Measured } from "./statistics.js";

/** What a program of the bench prints, as JSON. */
export interface Answer<Row = Measured> {
  /** What was asked of whom, in a sentence or two; long numbers in it are told in groups of three digits. */
  readonly settings: string;
  readonly rows: readonly Row[];
}

/** Prints what came out, and ends the program. */
export function answer<Row = Measured>(settings: string, rows: readonly Row[]): never {
  const told = settings.replace(/\b\d{5,}\b/g, (digits) => Number(digits).toLocaleString("en"));
  process.stdout.write(JSON.stringify({ settings: told, rows } satisfies Answer<Row>));
  process.exit(0);
}
