import { same } from "../check.js";
import { admitted, type Law, put } from "../law.js";

/** `refund` gives back, never above full. */
export const refund: Law = {
  name: "refund undoes a put made at the same instant, and never goes above full",
  async check({ open }) {
    const subject = await open(["5/s", "9/10s"]);
    const { bucket, clock } = subject;
    for (let i = 0; i < 10; i++) {
      clock.set(40_000 + 410 * i);
      await put(subject);
      const before = await bucket.peek({ key: "ada", weight: 0 });
      const { allowed } = await put(subject, 2);
      if (!allowed) continue;
      const after = await bucket.refund({ key: "ada", weight: 2 });
      same("remaining after put and refund", after.remaining, before.remaining);
    }
    same("remaining after a refund of too much", (await bucket.refund({ key: "ada", weight: 1000 })).remaining, 5);
    same("remaining after a refund to a new key", (await bucket.refund({ key: "bob", weight: 3 })).remaining, 5);
    for (const key of ["ada", "bob"]) same(`units admitted for ${key} of 8`, await admitted(subject, 8, key), 5);
  },
};
