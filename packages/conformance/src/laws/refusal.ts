import { same } from "../check.js";
import { type Law, put } from "../law.js";

/** A refusal changes nothing. */
export const refusal: Law = {
  name: "a refusal changes nothing",
  async check({ open }) {
    const refused = await open(["4/s", "6/5s"]);
    const spared = await open(["4/s", "6/5s"]);
    for (let at = 50_000; at < 60_000; at += 333) {
      for (const { clock } of [refused, spared]) clock.set(at);
      for (let i = 0; i < 3; i++) {
        if ((await refused.bucket.peek({ key: "ada", weight: 4 })).allowed) break;
        same("allowed, as the peek said", (await put(refused, 4)).allowed, false);
      }
      same("the answer beside a key that was spared the refusals", await put(refused), await put(spared));
      same("count", await refused.bucket.count("ada"), await spared.bucket.count("ada"));
    }
  },
};
