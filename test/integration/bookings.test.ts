import { randomUUID } from "node:crypto";
import {
  type AbstractBucket,
  type Algorithm,
  type Booking,
  ManualClock,
  type Mode,
  slidingWindowLog,
  tokenBucket,
} from "@sluice/core";
import { InMemoryBucket, SharedMemoryBucket } from "@sluice/memory";
import { migrate, PostgresBucket } from "@sluice/postgres";
import { RedisBucket } from "@sluice/redis";
import { SQLiteBucket } from "@sluice/sqlite";
import fc from "fast-check";
import { Redis } from "ioredis";
import pg from "pg";
import { afterAll, describe, expect, test } from "vitest";
import { postgresUrl, redisUrl } from "../servers/urls.js";
import { traceCount } from "../trace-count.js";

const pool = new pg.Pool({ connectionString: await postgresUrl() });
const client = new Redis(await redisUrl());
const table = `booked_${randomUUID().slice(0, 8)}`;
await migrate(pool, { table, unlogged: true });

afterAll(async () => {
  await pool.end();
  await client.quit();
});

interface Options {
  readonly algorithm: Algorithm;
  readonly clock: ManualClock;
}

/** The stores, and how many random histories each is tried with. */
const STORES: readonly (readonly [
  name: string,
  runs: number,
  open: (rates: string[], of: Options) => AbstractBucket<Mode>,
])[] = [
  ["Redis", 60, (rates, of) => new RedisBucket(client, rates, { ...of, name: randomUUID() })],
  ["Postgres", 20, (rates, of) => new PostgresBucket(pool, rates, { ...of, table, name: randomUUID() })],
  ["SQLite", 60, (rates, of) => SQLiteBucket.open(":memory:", rates, of)],
  [
    "shared memory",
    60,
    (rates, of) => new SharedMemoryBucket(rates, { ...of, maxKeys: 8, maxWorkers: 1, bookings: true }),
  ],
];

type Step =
  | { readonly kind: "put" | "peek" | "charge" | "refund"; readonly weight: number }
  | { readonly kind: "reserve"; readonly weight: number; readonly maxWait: number }
  /** Which of the bookings made before the moment, as a share of them, and how much of it. */
  | { readonly kind: "cancel"; readonly which: number; readonly weight: number };

/** What callers ask for at once, so many milliseconds after the moment before it; a clock may step back. */
interface Moment {
  readonly gap: number;
  readonly steps: readonly Step[];
}

const weight = fc.oneof({ weight: 5, arbitrary: fc.constant(1) }, { weight: 2, arbitrary: fc.nat(7) });
const maxWait = fc.constantFrom(0, 0.4, 150, 1000, 8000, Number.POSITIVE_INFINITY);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("reserve" as const), weight, maxWait }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("put", "peek", "charge", "refund"), weight }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("cancel" as const), which: fc.double({ min: 0, max: 0.999 }), weight }),
  },
);
const history = (most: number) =>
  fc.array(
    fc.record({
      gap: fc.oneof(fc.constantFrom(0, 0.001, 999.999, 1000), fc.integer({ min: -300, max: 1500 })),
      steps: fc.array(step, { minLength: 1, maxLength: most, size: "max" }),
    }),
    { minLength: 1, maxLength: 12, size: "max" },
  );

function carryOut(bucket: AbstractBucket<Mode>, step: Step, booked: readonly Booking[]): unknown {
  const item = { key: "ada", weight: step.weight };
  if (step.kind === "reserve") return bucket.reserve(item, step.maxWait);
  if (step.kind !== "cancel") return bucket[step.kind](item);
  const booking = booked[Math.floor(step.which * booked.length)];
  return booking === undefined ? bucket.peek(item) : bucket.cancel(item, booking);
}

/** What can be given back of bookings. */
async function bookedIn(bucket: AbstractBucket<Mode>): Promise<unknown> {
  const { state } = await bucket.read("ada");
  return "booked" in state ? state.booked : undefined;
}

async function compare(
  open: (of: Options) => AbstractBucket<Mode>,
  memory: AbstractBucket<Mode>,
  clock: ManualClock,
  moments: readonly Moment[],
): Promise<void> {
  const { algorithm } = memory;
  await using store = open({ algorithm, clock });
  const booked: Booking[] = [];
  for (const { gap, steps } of moments) {
    clock.set(clock.now() + gap);
    const answers = await Promise.all(steps.map((step) => carryOut(store, step, booked)));
    const expected = steps.map((step) => carryOut(memory, step, booked));
    expect(answers).toEqual(expected);
    for (const answer of expected as Partial<Booking>[]) {
      if (answer.at !== undefined && answer.decision?.allowed === true) booked.push(answer as Booking);
    }
    expect(await store.count("ada")).toBe(await memory.count("ada"));
    expect(await bookedIn(store)).toEqual(await bookedIn(memory));
  }
  if (algorithm === slidingWindowLog) expect(await store.items("ada")).toEqual(await memory.items("ada"));
}

describe.each(STORES)("in %s", (store, runs, open) => {
  const algorithms = [tokenBucket, slidingWindowLog].slice(0, store === "shared memory" ? 1 : 2);
  describe.each(algorithms)("under $name", (algorithm) => {
    test.each([
      ["one rate", ["4/s"], 12],
      ["three rates", ["3/300ms", "5/s", "9/4s"], 12],
      ["a long queue", ["4/s"], 160],
    ] as const)("bookings are made, cancelled and settled as the kernel does: %s", async (_, rates, most) => {
      const oneHistory = (moments: readonly Moment[]) => {
        const clock = new ManualClock(1_000_000_000);
        const memory = new InMemoryBucket([...rates], { algorithm, clock });
        return compare((of) => open([...rates], of), memory, clock, moments);
      };
      await fc.assert(fc.asyncProperty(history(most), oneHistory), { numRuns: traceCount(runs) });
    });
  });
});
