/** How often one key came, and was refused. */
export interface KeyCount {
  readonly key: string;
  readonly refused: number;
  readonly requests: number;
}

/** The keys that were refused at all, and the first of them. */
export interface MostRefused {
  /** How many keys were refused at least once. */
  readonly keysRefused: number;
  /** Those refused most, at most as many as asked for; of equals the one that came more often, then by name. */
  readonly top: readonly KeyCount[];
}

/** Finds the `count` keys that were refused most. */
export function mostRefused(counts: Iterable<KeyCount>, count: number): MostRefused {
  const refused: KeyCount[] = [];
  for (const key of counts) if (key.refused > 0) refused.push(key);
  const byRefusals = (a: KeyCount, b: KeyCount) =>
    b.refused - a.refused || b.requests - a.requests || byName(a.key, b.key);
  return { keysRefused: refused.length, top: refused.sort(byRefusals).slice(0, count) };
}

function byName(a: string, b: string): number {
  return a < b ? -1 : 1;
}
