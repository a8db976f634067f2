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
import { InMemoryBucket } from "@sluice/memory";
import { RedisBucket } from "@sluice/redis";
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, describe, expect, test } from "vitest";
import { redisUrl } from "../../../test/servers/urls.js";
import { traceCount } from "../../../test/trace-count.js";

const client = new Redis(await redisUrl());
const run = randomUUID();
let names = 0;

afterAll(() => client.quit());

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

async function compare(algorithm: Algorithm, rates: string[], moments: readonly Moment[]): Promise<void> {
  const clock = new ManualClock(1_000_000_000);
  const redis = new RedisBucket(client, rates, { algorithm, clock, name: `${run} ${names++}` });
  const memory = new InMemoryBucket(rates, { algorithm, clock });
  const booked: Booking[] = [];
  for (const { gap, steps } of moments) {
    clock.set(clock.now() + gap);
    const answers = await Promise.all(steps.map((step) => carryOut(redis, step, booked)));
    const expected = steps.map((step) => carryOut(memory, step, booked));
    expect(answers).toEqual(expected);
    for (const answer of expected as Partial<Booking>[]) {
      if (answer.at !== undefined && answer.decision?.allowed === true) booked.push(answer as Booking);
    }
    expect(await redis.count("ada")).toBe(memory.count("ada"));
  }
  if (algorithm === slidingWindowLog) expect(await redis.items("ada")).toEqual(memory.items("ada"));
}

describe.each([tokenBucket, slidingWindowLog])("RedisBucket, $name", (algorithm) => {
  test.each([
    ["one rate", ["4/s"], 12],
    ["three rates", ["3/300ms", "5/s", "9/4s"], 12],
    ["a long queue", ["4/s"], 80],
  ] as const)("books, cancels and settles as the kernel does: %s", async (_, rates, most) => {
    await fc.assert(
      fc.asyncProperty(history(most), (moments) => compare(algorithm, [...rates], moments)),
      { numRuns: traceCount(60) },
    );
  });
});
