import { ManualClock, toAsync } from "@sluice/core";
import type { OpenBucket } from "@sluice/http/express-store";
import { InMemoryBucket } from "@sluice/memory";
import { SQLiteBucket } from "@sluice/sqlite";

/** Stores that middleware may be moved to, each of them with the clock that decides. */
export function stores(): [name: string, open: OpenBucket, clock: ManualClock][] {
  const clocks = [new ManualClock(), new ManualClock(1_000_000), new ManualClock()] as const;
  const [memory, sqlite, later] = clocks;
  return [
    ["memory", (rates, options) => new InMemoryBucket(rates, { ...options, clock: memory }), memory],
    ["SQLite", (rates, options) => SQLiteBucket.open(":memory:", rates, { ...options, clock: sqlite }), sqlite],
    [
      "a store that opens, and answers, by promises",
      async (rates, options) => toAsync(new InMemoryBucket(rates, { ...options, clock: later })),
      later,
    ],
  ];
}
