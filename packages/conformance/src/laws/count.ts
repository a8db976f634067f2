import { same } from "../check.js";
import { type Law, put } from "../law.js";

/** `count` tells the units that count, and `items` lists them. */
export const count: Law = {
  name: "count tells the units that count now, and the log lists its items, newest first",
  async check({ open, algorithm }) {
    const subject = await open("10/s");
    const { bucket, clock } = subject;
    clock.set(3000);
    same("count of a new key", await bucket.count("ada"), 0);
    await put(subject, 4);
    same("count after 4", await bucket.count("ada"), 4);
    clock.set(3000.5);
    await put(subject, 3);
    same("count after 3 more", await bucket.count("ada"), 7);
    if (algorithm.name === "sliding-window-log") {
      const items = [
        { key: "ada", weight: 3, timestamp: 3000.5 },
        { key: "ada", weight: 4, timestamp: 3000 },
      ];
      same("items", await bucket.items("ada"), items);
      clock.set(4000);
      same("items, the older one gone", await bucket.items("ada"), items.slice(0, 1));
    }
    clock.set(6000);
    same("count of a key that is as good as new", await bucket.count("ada"), 0);
  },
};
