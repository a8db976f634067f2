import { same } from "../check.js";
import { admitted, type Law, put } from "../law.js";

/** A clock that steps back mints nothing. */
export const clockStepBack: Law = {
  name: "a clock that steps back mints nothing, and waits are told from where it stands",
  async check({ open }) {
    const subject = await open("5/s");
    const { clock } = subject;
    clock.set(10_000);
    let total = 0;
    for (let i = 0; i < 50; i++) {
      clock.set(i % 2 === 0 ? 10_000 : 9_000 - 10 * i);
      total += await admitted(subject, 2);
    }
    same("units admitted while the clock went back and forth", total, 5);
    clock.set(9_500);
    const { retryAfter } = await put(subject);
    clock.set(9_500 + retryAfter - 0.001);
    same("allowed 1 us before retryAfter", (await put(subject)).allowed, false);
    clock.set(9_500 + retryAfter);
    same("allowed at retryAfter", (await put(subject)).allowed, true);
  },
};
