import { same } from "../check.js";
import { type Law, put } from "../law.js";

/** The decision names the rate that binds. */
export const bindingRate: Law = {
  name: "names the rate with the longest wait, or with the fewest units left, the shorter among equals",
  async check({ open }) {
    const subject = await open(["2/s", "3/min"]);
    subject.clock.set(120_000);
    same("fewest left: 1 of 2, 2 of 3", (await put(subject)).rate.limit, 2);
    same("fewest left: 0 of 2, 1 of 3", (await put(subject)).rate.limit, 2);
    same("longest wait: both refuse 2", (await put(subject, 2)).rate.limit, 3);
    subject.clock.set(122_000);
    same("fewest left: 1 of 2, 0 of 3", (await put(subject)).rate.limit, 3);
    same("never, under the shorter already", (await put(subject, 4)).rate.limit, 2);
    same("never, under the shorter only", (await put(subject, 3)).rate.limit, 2);
    const fresh = await open(["2/s", "4/2s"]);
    same("the shorter among equals", (await fresh.bucket.put({ key: "bob", weight: 3 })).rate.limit, 2);
  },
};
