import { same } from "../check.js";
import type { Law } from "../law.js";

/** An item's own timestamp decides; without one, the bucket's clock does. */
export const timestamps: Law = {
  name: "an item's timestamp decides, else the bucket's clock, to the microsecond",
  async check({ open }) {
    const { bucket, clock } = await open("1/s");
    clock.set(1_700_000_000_000.25);
    same("now", await bucket.now(), 1_700_000_000_000.25);
    await bucket.put({ key: "ada" });
    const later = { key: "ada", timestamp: 1_700_000_000_000.75 };
    const { resetAfter } = await bucket.peek({ key: "ada", weight: 0 });
    const after = await bucket.peek({ ...later, weight: 0 });
    same("half a millisecond later", Math.round((resetAfter - after.resetAfter) * 1000), 500);
  },
};
