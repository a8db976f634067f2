import { same } from "../check.js";
import { type Law, put } from "../law.js";

/** `charge` takes without asking, into debt. */
export const charge: Law = {
  name: "charge takes units without asking, into debt that must be worked off",
  async check({ open }) {
    const subject = await open("5/s");
    const { bucket, clock } = subject;
    clock.set(7000);
    same("remaining after a charge that fits", (await bucket.charge({ key: "ada", weight: 3 })).remaining, 2);
    const debt = await bucket.charge({ key: "ada", weight: 4 });
    same("remaining and allowed in debt", [debt.remaining, debt.allowed, debt.retryAfter], [0, true, 0]);
    same("count in debt", await bucket.count("ada"), 7);
    const { allowed, retryAfter } = await put(subject);
    same("allowed in debt", allowed, false);
    clock.set(7000 + retryAfter - 0.001);
    same("allowed 1 us before the debt is worked off", (await put(subject)).allowed, false);
    clock.set(7000 + retryAfter);
    same("allowed when it is", (await put(subject)).allowed, true);
    same("a charge of 0", await bucket.charge({ key: "bob", weight: 0 }), await bucket.peek({ key: "bob", weight: 0 }));
  },
};
