import { ManualClock, tokenBucket } from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { leastSince, shortened } from "../src/algorithms/open-bookings.js";

const BOOKED = 100;

/** Units in use under 10 a second, of so many at the beginning and of what was charged since. */
function inUse(units: number, charges: readonly { at: number; weight: number }[], now: number): number {
  let used = units;
  let last = 0;
  for (const { at, weight } of [...charges, { at: now, weight: 0 }]) {
    used = Math.max(0, used - (at - last) / 100) + weight;
    last = at;
  }
  return Math.ceil(used);
}

describe("AbstractBucket.cancel(), of more bookings than there are rows for", () => {
  test("gives back no more than is right, and all of what is still to come", () => {
    const step = fc.record({
      gap: fc.nat(8).map((tenths) => 100 * tenths),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      weight: fc.nat(8),
    });
    const history = fc.array(step, { minLength: 30, maxLength: BOOKED - 1, size: "max" });
    fc.assert(
      fc.property(history, (steps) => {
        const clock = new ManualClock();
        const bucket = new InMemoryBucket("10/s", { algorithm: tokenBucket, clock });
        const bookings = Array.from({ length: BOOKED }, () => bucket.reserve({ key: "ada" }));
        const charges: { at: number; weight: number }[] = [];
        for (const { gap, share, weight } of steps) {
          clock.advance(gap);
          charges.push({ at: clock.now(), weight });
          bucket.charge({ key: "ada", weight });
          const [booking] = bookings.splice(Math.floor(share * (bookings.length - 1)), 1);
          if (booking === undefined) continue;
          const before = bucket.count("ada");
          bucket.cancel({ key: "ada" }, booking);
          if (booking.at > clock.now()) expect(bucket.count("ada")).toBe(before - 1);
          expect(bucket.count("ada")).toBeGreaterThanOrEqual(inUse(bookings.length, charges, clock.now()));
        }
      }),
    );
  });
});

describe("shortened()", () => {
  test("never knows of more, of the bookings that have a row together, and of all others as before", () => {
    const rise = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.nat(5), fc.nat(5));
    fc.assert(
      fc.property(fc.array(rise, { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 8 }), (rises, most) => {
        const rows = [1, 0, 0];
        for (const more of rises) rows.push(...rows.slice(-3).map((value, i) => value + (more[i] as number)));
        const short = shortened([...rows], 2, most);
        expect(short.length).toBe(3 * Math.min(most, rises.length + 1));
        let same = 0;
        for (let at = 0; at < rows.length; at += 3) {
          const least = leastSince(rows, rows[at] as number, 2);
          const known = leastSince(short, rows[at] as number, 2);
          expect(known.every((units, rate) => units <= (least[rate] as number))).toBe(true);
          if (known.join() === least.join()) same++;
        }
        expect(same).toBeGreaterThanOrEqual(short.length / 3);
      }),
    );
  });
});
