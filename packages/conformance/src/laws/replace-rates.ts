import type { Algorithm, ReplaceStrategy } from "@sluice/core";
import fc from "fast-check";
import { fails, same } from "../check.js";
import { type Law, type LawContext, put, refillsContinuously } from "../law.js";

/** What is used stays used, in units or in proportion, or is forgotten. */
export const replaceRates: Law = {
  name: "replaceRates decides by the new rates, and keeps, scales or forgets what was used",
  replaces: true,
  async check({ algorithm, open }) {
    const subject = await open("10/s");
    const { bucket, clock } = subject;
    clock.set(100_000);
    await put(subject, 6);
    clock.advance(200);
    await put(subject, 2);
    const expected = EXPECTED[algorithm.name] as Expected;
    for (const [rates, strategy, weight, answers] of STEPS) {
      await bucket.replaceRates(rates, strategy);
      same(`rates after ${strategy}`, bucket.rates.map(String), [rates.replace("/", "/1")]);
      same(`capacity after ${strategy}`, bucket.capacity, Number.parseInt(rates, 10));
      const { remaining } = await bucket.peek({ key: "ada", weight: 0 });
      const { retryAfter } = await bucket.peek({ key: "ada", weight });
      same(
        `${rates} by ${strategy}: remaining, and the wait for ${weight}`,
        [remaining, retryAfter],
        expected[answers],
      );
    }
    await bucket.replaceRates("7/s", "reset");
    same("a put of all after a reset", (await put(subject, 7)).allowed, true);
    await bucket.replaceRates("50/s", "reset");
    same("units in use after a reset to rates that there were before", await bucket.count("ada"), 0);
    await put(subject, 30);
    await bucket.replaceRates("50/s", "keep");
    same("units in use after the same rates", await bucket.count("ada"), 30);
    await bucket.replaceRates("50/s", "reset");
    same("units in use after a reset to the same rates", await bucket.count("ada"), 0);
  },
};

interface Expected {
  readonly more: readonly [remaining: number, retryAfter: number];
  readonly fewer: readonly [remaining: number, retryAfter: number];
  readonly scaled: readonly [remaining: number, retryAfter: number];
}

const STEPS: readonly (readonly [string, ReplaceStrategy, number, keyof Expected])[] = [
  ["20/s", "keep", 13, "more"],
  ["5/s", "keep", 1, "fewer"],
  ["50/s", "proportional", 1, "scaled"],
];

/** 6 units at 100 s, 2 more at 100.2 s, when the rates are replaced. */
const EXPECTED: Readonly<Record<string, Expected>> = {
  "sliding-window-log": { more: [12, 800], fewer: [0, 800], scaled: [0, 800] },
  "fixed-window": { more: [12, 800], fewer: [0, 800], scaled: [0, 800] },
  // 8, then 80 units in this window, of which 7, 4 and 49 may be left in the next.
  "sliding-window-counter": { more: [12, 925], fewer: [0, 1300], scaled: [0, 1187.5] },
  // Two have flowed back: 6 units are used, then 60.
  "token-bucket": { more: [14, 0], fewer: [0, 400], scaled: [0, 220] },
  "leaky-bucket": { more: [14, 0], fewer: [0, 400], scaled: [0, 220] },
};

/** Each rate takes over from the one that is most like it. */
export const replaceRateLists: Law = {
  name: "replaceRates hands each new rate what the old one of its interval has in use, else the next shorter one",
  replaces: true,
  async check({ algorithm, open }) {
    const subject = await open(["10/s", "40/min"]);
    const { bucket, clock } = subject;
    clock.set(100_000);
    await put(subject, 8);
    clock.advance(5000);
    await put(subject, 4);
    await bucket.replaceRates(["5/s", "20/10s", "80/min"], "keep");
    const decision = await bucket.peek({ key: "ada", weight: 5 });
    const count = await bucket.count("ada");
    const { remaining } = await bucket.peek({ key: "ada", weight: 0 });
    same(
      "units in use, left, the wait for 5, and the rate",
      [count, remaining, decision.retryAfter, String(decision.rate)],
      [...(EXPECTED_LISTS[algorithm.name] as readonly number[]), "5/1s"],
    );
    await bucket.replaceRates("10/2s", "keep");
    // The next shorter one, that of a second.
    same("units in use of two seconds", await bucket.count("ada"), 4);
    await bucket.replaceRates("100/500ms", "keep");
    same("units in use of half a second", await bucket.count("ada"), 4);
  },
};

const EXPECTED_LISTS: Readonly<Record<string, readonly [count: number, remaining: number, retryAfter: number]>> = {
  "sliding-window-log": [12, 1, 1000],
  "fixed-window": [12, 1, 1000],
  "sliding-window-counter": [12, 1, 2000],
  // Of the 8 in a minute 3 1/3 have flowed back.
  "token-bucket": [9, 1, 800],
  "leaky-bucket": [9, 1, 800],
};

/** It makes no difference when a key first comes. */
export const replaceInTime: Law = {
  name: "after replaceRates time gives units back by the new rates, however late a key comes",
  replaces: true,
  async check({ algorithm, open }) {
    const { bucket, clock } = await open("10/s");
    clock.set(100_000);
    await bucket.put({ key: "ada", weight: 10 });
    await bucket.replaceRates("10/2s", "keep");
    clock.advance(1000);
    same("units in use", await bucket.count("ada"), refillsContinuously(algorithm) ? 5 : 10);
    clock.set(110_000);
    await bucket.replaceRates("10/s", "keep");
    await bucket.put({ key: "bob", weight: 10 });
    clock.advance(1500);
    await bucket.replaceRates("10/3s", "keep");
    const estimates = algorithm.name === "sliding-window-counter";
    same("what is still in view of a window", await bucket.count("bob"), estimates ? 5 : 0);
  },
};

/** Who was replaced, and keeps what was used, decides as if it had had the new rates all the time. */
export const replaceAsTwin: Law = {
  name: "after replaceRates with keep, all is as if the new rates had been there when the units were taken",
  replaces: true,
  async check(context) {
    const [before, after] = ratesOf(context.algorithm);
    await property(context, async (open, history) => {
      const subject = await open(before);
      const twin = await open(after);
      const pair = [subject, twin];
      for (const { clock } of pair) clock.set(1_000_000);
      for (const { gap, key, weight, gives } of history.before) {
        for (const { clock } of pair) clock.advance(gap);
        // A debt of more than two capacities may be forgotten before its key comes.
        const inUse = await subject.bucket.count(key);
        if (!gives && inUse + weight > 2 * subject.bucket.capacity) continue;
        for (const { bucket } of pair) await (gives ? bucket.refund({ key, weight }) : bucket.charge({ key, weight }));
      }
      await subject.bucket.replaceRates(after, "keep");
      for (const { gap, key, weight } of history.after) {
        for (const { clock } of pair) clock.advance(gap);
        const [decision, expected] = [
          await subject.bucket.put({ key, weight }),
          await twin.bucket.put({ key, weight }),
        ];
        same(`a put of ${weight} for ${key}`, plain(decision), plain(expected));
        same("units in use", await subject.bucket.count(key), await twin.bucket.count(key));
      }
    });
  },
};

/** All that is done with keys is done with those under old rates, too. */
export const replacedCells: Law = {
  name: "after replaceRates flush, leak and putMany mean the keys under old rates, too, until they are as good as new",
  replaces: true,
  async check({ open }) {
    const { bucket, clock } = await open("4/s");
    clock.set(100_000);
    for (const key of ["ada", "bob", "eve", "joe"]) await bucket.put({ key, weight: 4 });
    await bucket.replaceRates("8/s", "keep");
    await bucket.flush("ada");
    same("units in use of a key that was flushed", await bucket.count("ada"), 0);
    const decisions = await bucket.putMany(["ada", "bob", "bob"].map((key) => ({ key, weight: 3 })));
    same(
      "left",
      decisions.map(({ remaining, allowed }) => [allowed, remaining]),
      [
        [true, 5],
        [true, 1],
        [false, 1],
      ],
    );
    same("a single unit", await bucket.tryPut("eve"), true);
    same("all of the capacity", await bucket.tryPut("eve", 8), false);
    await bucket.flush();
    for (const key of ["bob", "eve", "joe"]) same(`units in use of ${key}`, await bucket.count(key), 0);
    await bucket.charge({ key: "eve", weight: 9 });
    await bucket.replaceRates("16/s", "proportional");
    same("a debt in proportion", await bucket.count("eve"), 18);
    clock.advance(100_000);
    await bucket.leak();
    same("units in use long after", await bucket.count("eve"), 0);
    await bucket.replaceRates("4/s", "keep");
    for (const key of ["ada", "bob", "eve", "joe"]) same(`units in use at last of ${key}`, await bucket.count(key), 0);
  },
};

/** What is booked ahead stays booked. */
export const replacedBookings: Law = {
  name: "after replaceRates with keep, what is booked is booked, and can be cancelled",
  applies: ({ name }) => name === "sliding-window-log" || name === "token-bucket" || name === "leaky-bucket",
  books: true,
  replaces: true,
  async check({ algorithm, open }) {
    const { bucket, clock } = await open("2/s");
    clock.set(100_000);
    const item = { key: "ada", weight: 2 };
    await bucket.reserve(item);
    const booking = await bucket.reserve(item);
    same("the booking", booking.at, 101_000);
    await bucket.replaceRates("4/s", "keep");
    same("units in use", await bucket.count("ada"), 4);
    same(
      "the wait for all",
      (await bucket.peek({ key: "ada", weight: 4 })).retryAfter,
      refillsContinuously(algorithm) ? 1000 : 2000,
    );
    await bucket.cancel({ key: "ada", weight: 1 }, booking);
    same("units in use after a cancel", await bucket.count("ada"), 3);
    await bucket.replaceRates("8/s", "proportional");
    await bucket.cancel({ key: "ada", weight: 2 }, booking);
    same("units in use after a cancel of units of another size", await bucket.count("ada"), 4);
    await bucket.cancel({ key: "ada", weight: 4 }, { ...booking, number: 0 });
    if (refillsContinuously(algorithm)) same("units in use after a cancel of nothing", await bucket.count("ada"), 4);
  },
};

/** However long a log is, all of it comes over. */
export const replacedLongLog: Law = {
  name: "replaceRates carries a long log over entry by entry, and a debt in proportion",
  applies: ({ name }) => name === "sliding-window-log",
  replaces: true,
  async check({ open }) {
    const { bucket, clock } = await open(["400/s", "1000/min"]);
    clock.set(100_000);
    const items = Array.from({ length: 150 }, (_, i) => ({ key: "ada", weight: 1 + (i % 3) }));
    for (const item of items) {
      await bucket.put(item);
      clock.advance(7);
    }
    const before = await bucket.items("ada");
    await bucket.replaceRates(["350/s", "2000/min"], "keep");
    same("items that were kept", await bucket.items("ada"), before);
    // The 15 units of the first 8 were put more than a second ago.
    same("left of a second", (await bucket.peek({ key: "ada", weight: 0 })).remaining, 350 - 285);
    await bucket.refund({ key: "ada", weight: 10 });
    await bucket.replaceRates("1000/min", "proportional");
    const after = await bucket.items("ada");
    const total = (list: typeof after) => list.reduce((sum, { weight = 1 }) => sum + weight, 0);
    same("units in proportion", total(after), (total(before) - 10) / 2);
    same("a half of each", after.at(-2), { ...before.at(-2), weight: 1 });
    same("the oldest", after.at(-1), before.at(-1));
    clock.advance(60_000);
    same("units in use a minute later", await bucket.count("ada"), 0);
  },
};

/** Unsound arguments are told, and change nothing. */
export const replaceBadInput: Law = {
  name: "replaceRates refuses unsound rates and strategies, and a closed bucket",
  replaces: true,
  async check({ open }) {
    const { bucket } = await open("5/s");
    const wrong = (strategy: unknown) => bucket.replaceRates("6/s", strategy as ReplaceStrategy);
    for (const strategy of ["Keep", undefined, null, 1]) await fails("a strategy", () => wrong(strategy), "TypeError");
    for (const rates of [[], "5", ["5/s", "6/s"], ["5/s", "4/min"]]) {
      await fails("rates", () => bucket.replaceRates(rates, "keep"), "RangeError");
    }
    await fails("a rate of another type", () => bucket.replaceRates(5 as unknown as string, "keep"), "TypeError");
    same("rates after all that", bucket.rates.map(String), ["5/1s"]);
    await bucket.replaceRates("6/s", "keep");
    await bucket.close();
    await fails("a closed bucket", () => bucket.replaceRates("7/s", "keep"), "LimiterError");
    await fails("a put", () => bucket.put({ key: "ada" }), "LimiterError");
  },
};

interface Touch {
  readonly gap: number;
  readonly key: string;
  readonly weight: number;
  readonly gives: boolean;
}

interface History {
  readonly before: readonly Touch[];
  readonly after: readonly Touch[];
}

async function property(
  { open, runs }: LawContext,
  check: (open: LawContext["open"], history: History) => Promise<void>,
): Promise<void> {
  const touch = fc.record({
    gap: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 900 }), fc.integer({ min: 0, max: 9000 })),
    key: fc.constantFrom("ada", "bob"),
    weight: fc.integer({ min: 1, max: 5 }),
    gives: fc.boolean(),
  });
  const list = fc.array(touch, { minLength: 1, maxLength: 12 });
  const one = fc.asyncProperty(fc.record({ before: list, after: list }), (history) => check(open, history));
  await fc.assert(one, { numRuns: Math.ceil(runs / 4) });
}

/** Rates whose cells change alike when units are taken: what flows back depends on a limit, but not on a burst. */
function ratesOf(algorithm: Algorithm): readonly [before: string[], after: string[]] {
  if (!refillsContinuously(algorithm))
    return [
      ["4/s", "9/4s"],
      ["6/s", "20/4s"],
    ];
  return [
    ["4/s burst 7", "9/4s"],
    ["4/s", "9/4s burst 20"],
  ];
}

function plain({ rate, ...decision }: Awaited<ReturnType<typeof put>>): unknown {
  return { ...decision, rate: String(rate) };
}
