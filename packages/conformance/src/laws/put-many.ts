import { same } from "../check.js";
import type { Law } from "../law.js";

/** `putMany` is so many puts, in order. */
export const putMany: Law = {
  name: "putMany decides in order, as single puts do, equal keys included",
  async check({ open }) {
    const many = await open(["3/s", "5/5s"]);
    const single = await open(["3/s", "5/5s"]);
    for (const at of [1000, 1400, 2100, 2100, 6500]) {
      for (const { clock } of [many, single]) clock.set(at);
      const items = ["ada", "bob", "ada", "ada", "bob", "ada"].map((key, i) => ({ key, weight: 1 + (i % 2) }));
      const decisions = [];
      for (const item of items) decisions.push(await single.bucket.put(item));
      same("the decisions", await many.bucket.putMany(items), decisions);
    }
    same("no items", await many.bucket.putMany([]), []);
  },
};
