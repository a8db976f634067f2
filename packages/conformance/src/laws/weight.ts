import { same } from "../check.js";
import { type Law, put } from "../law.js";

/** Weight 0 is free, and a weight above a capacity never fits. */
export const weight: Law = {
  name: "weight 0 is admitted and changes nothing; a weight above a capacity waits for ever",
  async check({ open }) {
    const subject = await open("5/s");
    subject.clock.set(2000);
    const untouched = { ...(await put(subject, 0)) };
    same("weight 0 on a new key", [untouched.allowed, untouched.remaining, untouched.resetAfter], [true, 5, 0]);
    const never = await put(subject, 6);
    same("weight 6 of 5", [never.allowed, never.retryAfter, never.remaining], [false, Number.POSITIVE_INFINITY, 5]);
    same("weight 5 of 5", (await put(subject, 5)).allowed, true);
    const full = await put(subject, 0);
    same("weight 0 on a full key", [full.allowed, full.remaining, full.retryAfter], [true, 0, 0]);
  },
};
