import { same } from "../check.js";
import { type Law, put } from "../law.js";

/** `retryAfter` is the exact time until this very item would be admitted. */
export const retryAfter: Law = {
  name: "retryAfter is exact: refused a microsecond before it, admitted at it",
  async check({ open }) {
    for (const weight of [1, 2, 5]) {
      const subject = await open(["5/700ms", "11/7s"]);
      let at = 12_345.678;
      for (let i = 0; i < 30; i++) {
        subject.clock.set(at);
        const { allowed, retryAfter } = await put(subject, weight);
        if (!allowed) {
          subject.clock.set(at + retryAfter - 0.001);
          same(`allowed 1 us before ${retryAfter} ms`, (await put(subject, weight)).allowed, false);
          at += retryAfter;
          subject.clock.set(at);
          same(`allowed after ${retryAfter} ms`, (await put(subject, weight)).allowed, true);
        }
        at += 17.003 * (i % 4);
      }
    }
  },
};
