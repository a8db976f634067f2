import { same } from "../check.js";
import { type Law, put } from "../law.js";

/** All rates decide, and then all of them commit, or none. */
export const allOrNothing: Law = {
  name: "what one rate refuses is not taken from the others",
  async check({ open }) {
    const subject = await open(["3/s", "4/min"]);
    subject.clock.set(60_000);
    await put(subject, 3);
    subject.clock.set(61_000);
    same("allowed, against the longer rate", (await put(subject, 3)).allowed, false);
    subject.clock.set(61_999);
    const { allowed, rate } = await put(subject, 2);
    same("allowed, against the longer rate", [allowed, rate.limit], [false, 4]);
    // Had the shorter rate been charged for the refusals, it would be empty now.
    same("allowed within both", (await put(subject, 1)).allowed, true);
  },
};
