import { same } from "../check.js";
import { admitted, type Law, put } from "../law.js";

/** `remaining` is what would still be admitted at this instant. */
export const remaining: Law = {
  name: "remaining is true: so many more units are admitted, and one more is refused",
  async check({ open }) {
    for (let i = 0; i < 8; i++) {
      const subject = await open(["6/s", "9/10s"]);
      subject.clock.set(100_000);
      await put(subject, i % 5);
      subject.clock.advance(137.5 * i);
      const { remaining } = await put(subject, 1);
      same(`units admitted of ${remaining + 2}`, await admitted(subject, remaining + 2), remaining);
      same("remaining after a refusal", (await put(subject)).remaining, 0);
    }
  },
};
