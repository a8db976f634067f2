import { randomUUID } from "node:crypto";
import { ALGORITHMS } from "@sluice/conformance";
import {
  type Algorithm,
  type Booking,
  type Decision,
  leakyBucket,
  ManualClock,
  type Operation,
  Rate,
  slidingWindowCounter,
  slidingWindowLog,
  tokenBucket,
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

/** What is done to a key, once or several times. */
interface Asked {
  readonly operation: Operation | "reserve";
  readonly key: string;
  readonly weight: number;
  readonly count: number;
  /** Milliseconds that a booking may lie ahead. */
  readonly maxWait: number;
}

/** A booking that is taken back: one of those that were made, whole or in part, perhaps not for the first time. */
interface TakenBack {
  readonly operation: "cancel";
  readonly which: number;
  readonly part: number;
}

/** What callers ask for in the same moment: it rides in one trip. */
interface Moment {
  /** Milliseconds since the moment before it; a clock may step back. */
  readonly gap: number;
  readonly items: readonly (Asked | TakenBack)[];
}

const KEYS = ["ada", "bob", "eve", "mia"];

const item = (heaviest: number) =>
  fc.record({
    operation: fc.oneof(
      { weight: 6, arbitrary: fc.constant("put" as const) },
      { weight: 1, arbitrary: fc.constantFrom("peek" as const, "charge" as const, "refund" as const) },
    ),
    key: fc.constantFrom(...KEYS),
    weight: fc.oneof(
      { weight: 5, arbitrary: fc.constant(1) },
      { weight: 2, arbitrary: fc.integer({ min: 0, max: heaviest }) },
    ),
    count: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 9 }) }),
    maxWait: fc.constant(0),
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

const booking = (heaviest: number, keys: readonly string[]): fc.Arbitrary<Asked> =>
  fc.record({
    operation: fc.constant("reserve" as const),
    key: fc.constantFrom(...keys),
    weight: fc.oneof(fc.constant(1), fc.integer({ min: 0, max: heaviest })),
    // So many that they fill more than a page, at times.
    count: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 30, max: 90 })),
    maxWait: fc.oneof(
      fc.constantFrom(0, 0.001, Number.MAX_VALUE, Number.POSITIVE_INFINITY),
      fc.integer({ min: 0, max: 5000 }),
      fc.integer({ min: 0, max: 100_000 }),
    ),
  });
const takenBack: fc.Arbitrary<TakenBack> = fc.record({
  operation: fc.constant("cancel" as const),
  which: fc.nat(),
  part: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
});

/** Histories in which units are booked ahead, and taken back, between all else. */
const bookings = (heaviest: number): fc.Arbitrary<Moment[]> =>
  fc.constantFrom<readonly string[]>(["ada"], KEYS).chain((keys) =>
    fc.array(
      fc.record({
        gap: fc.oneof(
          fc.constantFrom(0, 0.001, 999.999, 1000),
          fc.integer({ min: -3000, max: 900 }),
          fc.integer({ min: 0, max: 30_000 }),
        ),
        items: fc.array(
          fc.oneof(
            item(heaviest).map((one) => ({ ...one, key: keys.includes(one.key) ? one.key : "ada" })),
            booking(heaviest, keys),
            takenBack,
          ),
          { minLength: 1, maxLength: 8 },
        ),
      }),
      { minLength: 1, maxLength: 14, size: "max" },
    ),
  );

async function compare(algorithm: Algorithm, rates: readonly Rate[], moments: readonly Moment[]): Promise<void> {
  const clock = new ManualClock(1_000_000_000);
  const postgres = new PostgresBucket(pool, rates, { algorithm, clock, table, name: `${names++}` });
  const memory = new InMemoryBucket(rates, { algorithm, clock });
  /** What was booked, and when. */
  const booked: { key: string; weight: number; booking: Booking }[] = [];
  for (const { gap, items } of moments) {
    clock.set(clock.now() + gap);
    const calls = items.flatMap((one) => callsOf(one, booked));
    const answers = await Promise.all(calls.map(({ call }) => call(postgres)));
    const expected = calls.map(({ call }) => call(memory));
    expect(answers).toEqual(expected);
    for (const [i, { key, weight }] of calls.entries()) {
      const answer = expected[i] as Decision | Booking;
      if ("at" in answer && answer.decision.allowed) booked.push({ key, weight, booking: answer });
    }
  }
  for (const key of KEYS) {
    expect(await postgres.count(key)).toBe(memory.count(key));
    if (algorithm === slidingWindowLog) expect(await postgres.items(key)).toEqual(memory.items(key));
  }
}

type AnyBucket = PostgresBucket | InMemoryBucket;

/** What an item of a moment asks of a bucket: nothing, where there is no booking to take back. */
function callsOf(one: Asked | TakenBack, booked: readonly { key: string; weight: number; booking: Booking }[]) {
  if (one.operation !== "cancel") {
    const { operation, key, weight, count, maxWait } = one;
    const entry = { key, weight };
    const call = (bucket: AnyBucket) =>
      operation === "reserve" ? bucket.reserve(entry, maxWait) : bucket[operation](entry);
    return Array.from({ length: count }, () => ({ key, weight, call }));
  }
  const found = booked[one.which % booked.length];
  if (found === undefined) return [];
  const { key, booking } = found;
  const weight = Math.ceil(found.weight * one.part);
  return [{ key, weight, call: (bucket: AnyBucket) => bucket.cancel({ key, weight }, booking) }];
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

describe.each([tokenBucket, leakyBucket, slidingWindowLog].map((algorithm) => [algorithm.name, algorithm] as const))(
  "PostgresBucket, %s",
  (_, algorithm) => {
    test.concurrent.each(RATES)("books and takes back as the kernel does: %s", async (_name, heaviest, rates) => {
      await fc.assert(
        fc.asyncProperty(bookings(heaviest), (moments) => compare(algorithm, rates, moments)),
        { numRuns: traceCount(25) },
      );
    });
  },
);

describe("PostgresBucket, sliding-window-log: a booking is taken back", () => {
  const ask = (operation: Asked["operation"], count = 1) => ({
    operation,
    key: "ada",
    weight: 1,
    count,
    maxWait: Number.POSITIVE_INFINITY,
  });
  const takeBack = (which: number) => ({ operation: "cancel" as const, which, part: 1 });

  test("though it was all that lay beside the pages", () =>
    compare(
      slidingWindowLog,
      [new Rate(1, 1000)],
      [
        { gap: 0, items: [ask("reserve", 65)] },
        { gap: 0, items: [takeBack(64), ask("reserve", 2)] },
        { gap: 0, items: [takeBack(63), takeBack(65), takeBack(66), takeBack(65), ask("reserve")] },
      ],
    ));

  test.each([10, 100])("and not from what is forgotten, though the clock stepped back: %i/s", (limit) =>
    compare(
      slidingWindowLog,
      [new Rate(limit, 1000)],
      [
        { gap: 0, items: [ask("reserve", 2 * limit)] },
        { gap: 1500, items: [ask("reserve")] },
        { gap: -700, items: [takeBack(0), ask("reserve")] },
        { gap: 0, items: [ask("reserve", limit)] },
      ],
    ),
  );
});

test("PostgresBucket, sliding-window-counter: a quotient that is rounded up takes nothing away", async () => {
  // In doubles, units * interval / interval is more than these units.
  const [units, interval] = [38_430_716_825, 60_000_000];
  expect((units * interval) / interval).toBeGreaterThan(units);
  const put = (weight: number, count: number) => ({ operation: "put" as const, key: "ada", weight, count, maxWait: 0 });
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
