import { randomUUID } from "node:crypto";
import { ALGORITHMS } from "@sluice/conformance";
import {
  type Algorithm,
  ManualClock,
  type Operation,
  Rate,
  slidingWindowCounter,
  slidingWindowLog,
} from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import { migrate, PostgresBucket } from "@sluice/postgres";
import fc from "fast-check";
import pg from "pg";
import { afterAll, describe, expect, test } from "vitest";
import { postgresUrl } from "../../../test/servers/urls.js";
import { traceCount } from "../../../test/trace-count.js";

const pool = new pg.Pool({ connectionString: await postgresUrl() });
const table = `trips_${randomUUID().slice(0, 8)}`;
await migrate(pool, { table, unlogged: true });
let names = 0;

afterAll(() => pool.end());

/** What callers ask for in the same moment: it rides in one trip. */
interface Moment {
  /** Milliseconds since the moment before it; a clock may step back. */
  readonly gap: number;
  readonly items: readonly { operation: Operation; key: string; weight: number; count: number }[];
}

const item = (heaviest: number) =>
  fc.record({
    operation: fc.oneof(
      { weight: 6, arbitrary: fc.constant("put" as const) },
      { weight: 1, arbitrary: fc.constantFrom("peek" as const, "charge" as const, "refund" as const) },
    ),
    key: fc.constantFrom("ada", "bob", "eve", "mia"),
    weight: fc.oneof(
      { weight: 5, arbitrary: fc.constant(1) },
      { weight: 2, arbitrary: fc.integer({ min: 0, max: heaviest }) },
    ),
    count: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 9 }) }),
  });
const history = (heaviest: number): fc.Arbitrary<Moment[]> =>
  fc.array(
    fc.record({
      gap: fc.oneof(fc.constantFrom(0, 0.001, 999.999, 1000), fc.integer({ min: -300, max: 900 })),
      items: fc.oneof(
        fc.array(item(heaviest), { minLength: 1, maxLength: 12 }),
        // A put for each key, once or several times: these go another way.
        fc
          .uniqueArray(item(heaviest), { minLength: 1, maxLength: 4, selector: ({ key }) => key })
          .map((list) => list.map((each) => ({ ...each, operation: "put" as const }))),
      ),
    }),
    { minLength: 1, maxLength: 12, size: "max" },
  );

async function compare(algorithm: Algorithm, rates: readonly Rate[], moments: readonly Moment[]): Promise<void> {
  const clock = new ManualClock(1_000_000_000);
  const postgres = new PostgresBucket(pool, rates, { algorithm, clock, table, name: `${names++}` });
  const memory = new InMemoryBucket(rates, { algorithm, clock });
  for (const { gap, items } of moments) {
    clock.set(clock.now() + gap);
    const each = items.flatMap((one) => Array.from({ length: one.count }, () => one));
    const decisions = await Promise.all(each.map((one) => postgres[one.operation](one)));
    expect(decisions).toEqual(each.map((one) => memory[one.operation](one)));
  }
  for (const key of ["ada", "bob", "eve", "mia"]) expect(await postgres.count(key)).toBe(memory.count(key));
}

const RATES: readonly (readonly [name: string, heaviest: number, rates: Rate[]])[] = [
  ["one rate", 12, [new Rate(10, 1000)]],
  ["three rates", 12, [new Rate(5, 300), new Rate(10, 1000), new Rate(25, 5000)]],
  // A full bucket holds more steps than a double can count one by one.
  ["a rate beyond 2^53", 900_000, [new Rate(999_983, 10_000_000.019)]],
];
/** For algorithms that add up no more than what counts. */
const LARGEST: (typeof RATES)[number] = ["units near 2^53", 2 ** 52, [new Rate(2 ** 53 - 1, 1000)]];

describe.each(ALGORITHMS.map((algorithm) => [algorithm.name, algorithm] as const))(
  "PostgresBucket, %s",
  (_, algorithm) => {
    test.concurrent.each(algorithm === slidingWindowLog ? RATES : [...RATES, LARGEST])(
      "trips of many items decide as the kernel does: %s",
      async (_name, heaviest, rates) => {
        await fc.assert(
          fc.asyncProperty(history(heaviest), (moments) => compare(algorithm, rates, moments)),
          { numRuns: traceCount(25) },
        );
      },
    );
  },
);

test("PostgresBucket, sliding-window-counter: a quotient that is rounded up takes nothing away", async () => {
  // In doubles, units * interval / interval is more than these units.
  const [units, interval] = [38_430_716_825, 60_000_000];
  expect((units * interval) / interval).toBeGreaterThan(units);
  const put = (weight: number, count: number) => ({ operation: "put" as const, key: "ada", weight, count });
  // Half a window after one that was full, half of the limit is left.
  await compare(
    slidingWindowCounter,
    [new Rate(2 * units, interval / 1000)],
    [
      { gap: -40_000, items: [put(2 * units, 1)] },
      { gap: 90_000, items: [put(units / 5, 9)] },
    ],
  );
});
