import type { AbstractBucket, Algorithm, Booking, Mode, Rate, RateItem } from "@sluice/core";
import fc from "fast-check";
import { same } from "../check.js";
import { type Law, type LawContext, put, type Subject } from "../law.js";

/** A booking is for the instant at which the item would be admitted, and stands in line behind all before it. */
export const reserve: Law = {
  name: "reserve books the earliest admission, in line, no further ahead than asked, and cancel undoes it",
  applies: books,
  books: true,
  async check({ open }) {
    const subject = await open(["2/s", "5/10s"]);
    const { bucket, clock } = subject;
    same("can reserve", bucket.reserves, true);
    clock.set(10_000);
    const book = async (weight: number, maxWait?: number) => {
      const { decision, at } = await bucket.reserve({ key: "ada", weight }, maxWait);
      return [decision.allowed, decision.retryAfter, at];
    };
    same("a booking of what is there", await book(2), [true, 0, 10_000]);
    const { retryAfter } = await bucket.peek({ key: "ada", weight: 2 });
    same("a booking further ahead than asked", (await book(2, retryAfter - 0.001))[0], false);
    same("the first in line", await book(2, retryAfter), [true, retryAfter, 10_000 + retryAfter]);
    const next = (await bucket.peek({ key: "ada" })).retryAfter;
    same("the next waits longer", next > retryAfter, true);
    clock.advance(retryAfter);
    same("what is booked is not there for others", (await put(subject)).allowed, false);
    clock.advance(next - retryAfter - 0.001);
    same("just before it would fit", (await put(subject)).allowed, false);
    clock.advance(0.001);
    await bucket.cancel({ key: "ada" }, await bucket.reserve({ key: "ada" }));
    same("what was cancelled is there again", (await put(subject)).allowed, true);
    same("a weight that never fits", await book(3), [false, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
    same("weight 0", (await book(0))[0], true);
  },
};

/** Without what was booked and cancelled, everything is as it would have been. */
export const cancel: Law = {
  name: "after a cancel the cell is as if the booking had never been",
  applies: books,
  books: true,
  async check(context) {
    await property(context, async (subject, twin, history) => {
      const advance = (ms: number) => {
        for (const { clock } of [subject, twin]) clock.advance(ms);
      };
      for (const { gap, weight, other, stays, later } of history) {
        advance(gap);
        const item = { key: "ada", weight };
        const booking = await subject.bucket.reserve(item);
        if (stays) {
          const { decision, at } = await twin.bucket.reserve(item);
          same("a booking beside what was cancelled", [booking.decision, booking.at], [decision, at]);
        }
        if (!stays && booking.decision.allowed) {
          advance(later);
          await subject.bucket.cancel(item, booking);
        }
        const puts = [subject, twin].map(({ bucket }) => bucket.put({ key: "ada", weight: other }));
        same("a put beside what was cancelled", await puts[0], await puts[1]);
        same("units in use", await subject.bucket.count("ada"), await twin.bucket.count("ada"));
      }
    });
  },
};

/** In whatever order bookings are taken back, whole or in part, before their time or after. */
export const cancelInAnyOrder: Law = {
  name: "once bookings or parts of them are taken back, in any order, the cell is as if those had never been",
  // What a log is charged stands behind what was booked before.
  applies: (algorithm) => books(algorithm) && algorithm.name !== "sliding-window-log",
  books: true,
  async check(context) {
    const check = async ({ bucket, clock }: Subject, twin: Subject, history: readonly Step[]) => {
      const open: { item: RateItem; booking: Booking; steps: number }[] = [];
      for (const { gap, weight, other, part, steps, isRefund } of history) {
        for (const one of [clock, twin.clock]) one.advance(gap);
        for (const booked of open.splice(0)) {
          if (booked.steps-- > 0) open.push(booked);
          else await bucket.cancel(booked.item, booked.booking);
        }
        if (open.length === 0) await sameCells(bucket, twin.bucket);
        // Charged and not put: what is booked keeps out what the twin would let in.
        const item = { key: "ada", weight: other };
        const change = isRefund ? "refund" : "charge";
        for (const one of [bucket, twin.bucket]) await one[change](item);
        const back = Math.min(part, weight);
        const booking = await bucket.reserve({ key: "ada", weight });
        await twin.bucket.charge({ key: "ada", weight: weight - back });
        open.push({ item: { key: "ada", weight: back }, booking, steps });
      }
      for (const { item, booking } of open.reverse()) await bucket.cancel(item, booking);
      await sameCells(bucket, twin.bucket);
    };
    await property(context, check);
    await property(context, check, ["4/s"]);
  },
};

/** What time has given back is not given a second time. */
export const cancelLate: Law = {
  name: "a cancel gives nothing back that time has given back already",
  applies: books,
  books: true,
  async check({ open }) {
    for (const passed of [0, 500, 1000, 3000]) {
      const { bucket, clock } = await open("10/s");
      clock.set(10_000);
      const item = { key: "ada", weight: 10 };
      const booking = await bucket.reserve(item);
      clock.advance(passed);
      const back = 10 - (await bucket.count("ada"));
      await bucket.put({ key: "ada", weight: back });
      await bucket.cancel(item, booking);
      same(`units in use, of ${back} put after ${passed} ms`, await bucket.count("ada"), back);
    }
  },
};

/** Bookings and puts together never pass more than the rates allow, when each is used at its time. */
export const bookedUse: Law = {
  name: "what is booked, used at its time, and what is put beside it keep to the rates",
  applies: books,
  books: true,
  async check(context) {
    await property(context, async (subject, _, history) => {
      const used: { at: number; weight: number }[] = [];
      for (const { gap, weight, other } of history) {
        subject.clock.advance(gap);
        const { decision, at } = await subject.bucket.reserve({ key: "ada", weight }, 2000);
        if (decision.allowed) used.push({ at, weight });
        const now = subject.clock.now();
        if ((await subject.bucket.put({ key: "ada", weight: other })).allowed) used.push({ at: now, weight: other });
      }
      for (const rate of subject.bucket.rates) keeps(context.algorithm, rate, used);
    });
  },
};

/** Milliseconds between two steps of a history, at most. */
const LONGEST_GAP = 700;

interface Step {
  readonly gap: number;
  readonly weight: number;
  readonly other: number;
  readonly stays: boolean;
  readonly later: number;
  /** Units that are taken back, after so many steps. */
  readonly part: number;
  readonly steps: number;
  readonly isRefund: boolean;
}

/** Throws when one bucket would not answer as the other. */
async function sameCells(bucket: AbstractBucket<Mode>, twin: AbstractBucket<Mode>): Promise<void> {
  same("units in use", await bucket.count("ada"), await twin.count("ada"));
  const item = { key: "ada", weight: 3 };
  same("what a put would be answered", await bucket.peek(item), await twin.peek(item));
}

async function property(
  { open, runs }: LawContext,
  check: (subject: Subject, twin: Subject, history: readonly Step[]) => Promise<void>,
  rates: readonly string[] = ["4/s", "9/4s"],
): Promise<void> {
  const step = fc.record({
    gap: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: LONGEST_GAP })),
    weight: fc.integer({ min: 1, max: 4 }),
    other: fc.integer({ min: 0, max: 3 }),
    stays: fc.boolean(),
    later: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3000 })),
    part: fc.integer({ min: 0, max: 4 }),
    steps: fc.integer({ min: 0, max: 6 }),
    isRefund: fc.boolean(),
  });
  const one = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (history) => {
    const subjects = [await open([...rates]), await open([...rates])] as const;
    for (const { clock } of subjects) clock.set(100_000);
    await check(...subjects, history);
  });
  await fc.assert(one, { numRuns: Math.ceil(runs / 4) });
}

/** Throws when more was used in some span of time than the rate admits in it. */
function keeps(
  { name }: Algorithm,
  { limit, interval, burst }: Rate,
  used: readonly { at: number; weight: number }[],
): void {
  const inOrder = [...used].sort((a, b) => a.at - b.at);
  for (const [i, first] of inOrder.entries()) {
    let total = 0;
    for (const { at, weight } of inOrder.slice(i)) {
      const span = at - first.at;
      if (name === "sliding-window-log" && span >= interval) break;
      total += weight;
      // A wait is rounded up to a microsecond, never down.
      const most = name === "sliding-window-log" ? limit : burst + (span / interval) * limit + 1e-6;
      same(`${total} units in ${span} ms keep to ${limit}/${interval} ms`, total <= most, true);
    }
  }
}

function books({ name }: Algorithm): boolean {
  return name === "sliding-window-log" || name === "token-bucket" || name === "leaky-bucket";
}
