import { same } from "../check.js";
import { type Law, put } from "../law.js";

/** `peek` answers as `put` would, `waiting` tells its wait, and neither changes anything. */
export const peek: Law = {
  name: "peek and waiting answer as put would and change nothing; tryPut does as put does",
  async check({ open }) {
    const subject = await open(["4/s", "6/5s"]);
    const twin = await open(["4/s", "6/5s"]);
    const { bucket } = subject;
    for (let i = 0; i < 24; i++) {
      subject.clock.set(30_000 + 250 * i);
      twin.clock.set(30_000 + 250 * i);
      const weight = i % 4;
      const item = { key: "ada", weight };
      const answers = [await bucket.peek(item), await bucket.peek(item)];
      const wait = await bucket.waiting(item);
      const decision = await put(subject, weight);
      same("peek", answers, [decision, decision]);
      same("waiting", wait, decision.retryAfter);
      same("tryPut", await twin.bucket.tryPut("ada", weight), decision.allowed);
      same("count after tryPut", await twin.bucket.count("ada"), await bucket.count("ada"));
    }
  },
};
