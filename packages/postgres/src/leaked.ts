import { after } from "./cell-keys.js";
import type { Row } from "./database.js";
import { BATCH, type Leaked } from "./store.js";

/** Reads what a batch of a leak tells: the last key that it saw, how many it saw, and how many it dropped. */
export function readLeaked([row]: readonly Row[]): Leaked {
  const [last, seen, dropped] = row as Row;
  const more = typeof last === "string" && Number(seen) === BATCH;
  return { dropped: Number(dropped), next: more ? after(Buffer.from(last.slice(2), "hex")) : undefined };
}
