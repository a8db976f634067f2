import { same } from "../check.js";
import { type Law, put } from "../law.js";

/** `resetAfter` is the exact time until the cell is as good as new. */
export const resetAfter: Law = {
  name: "resetAfter is exact: the cell counts a microsecond before it, and is as good as new at it",
  async check({ open }) {
    const subject = await open(["5/700ms", "11/7s"]);
    const { bucket, clock } = subject;
    let at = 9_876.543;
    for (let i = 0; i < 12; i++) {
      clock.set(at);
      const { resetAfter } = await put(subject, 1 + (i % 3));
      clock.set(at + resetAfter - 0.001);
      same(`resetAfter 1 us before ${resetAfter} ms`, (await bucket.peek({ key: "ada", weight: 0 })).resetAfter, 0.001);
      clock.set(at + resetAfter);
      same(`resetAfter after ${resetAfter} ms`, (await bucket.peek({ key: "ada", weight: 0 })).resetAfter, 0);
      const anew = await bucket.peek({ key: "never seen", weight: 3 });
      same("the answer of a reset key", await bucket.peek({ key: "ada", weight: 3 }), anew);
      clock.set(at + resetAfter / 3);
      at += resetAfter / 3;
    }
  },
};
