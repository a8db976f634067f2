import { same } from "../check.js";
import { type Law, put, refillsContinuously } from "../law.js";

/** A drained bucket gives a unit back each `interval / limit`. */
export const exactRefill: Law = {
  name: "refills one unit per interval / limit, and not a microsecond sooner",
  applies: refillsContinuously,
  async check({ open }) {
    const subject = await open("3/s");
    subject.clock.set(1000);
    await put(subject, 3);
    subject.clock.set(1333.333);
    same("allowed after 333,333 us", (await put(subject)).allowed, false);
    subject.clock.set(1333.334);
    same("allowed after 333,334 us", (await put(subject)).allowed, true);
    subject.clock.set(1666.666);
    same("allowed after 666,666 us", (await put(subject)).allowed, false);
    subject.clock.set(1666.667);
    same("allowed after 666,667 us", (await put(subject)).allowed, true);
  },
};
