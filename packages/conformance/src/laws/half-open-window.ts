import { same } from "../check.js";
import { type Law, put, refillsContinuously } from "../law.js";

/** Windows are half-open: an item admitted at t counts until t + interval, and no longer. */
export const halfOpenWindow: Law = {
  name: "an item counts to the last microsecond of its window, and not at its end",
  applies: (algorithm) => !refillsContinuously(algorithm) && algorithm.name !== "sliding-window-counter",
  async check({ open }) {
    const subject = await open("2/s");
    subject.clock.set(5000);
    await put(subject, 2);
    subject.clock.set(5999.999);
    same("allowed 1 us before the end", (await put(subject)).allowed, false);
    subject.clock.set(6000);
    same("allowed at the end", (await put(subject, 2)).allowed, true);
  },
};
