import { same } from "../check.js";
import { admitted, type Law } from "../law.js";

/** The capacity passes at one instant, and not a unit more. */
export const capacity: Law = {
  name: "admits the capacity at one instant and refuses the next unit",
  async check({ open }) {
    const subject = await open("7/s");
    subject.clock.set(1_700_000_000_123);
    same("units admitted of 10", await admitted(subject, 10), 7);
  },
};
