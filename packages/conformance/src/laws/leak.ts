import { same } from "../check.js";
import type { Law } from "../law.js";

/** `leak` drops what is as good as new, and no decision changes by it. */
export const leak: Law = {
  name: "leak drops the cells that are as good as new, and changes no decision",
  async check({ open }) {
    const leaked = await open(["4/s", "10/10s"]);
    const kept = await open(["4/s", "10/10s"]);
    let dropped = 0;
    for (let i = 0; i < 60; i++) {
      for (const { clock } of [leaked, kept]) clock.set(20_000 + 370 * i + 15_000 * Math.floor(i / 10));
      const item = { key: `key ${(i * 7) % 5}`, weight: 1 + (i % 4) };
      same("the decision beside a bucket that never leaks", await leaked.bucket.put(item), await kept.bucket.put(item));
      if (i % 3 === 0) await leaked.bucket.sweep(0);
      else dropped += await leaked.bucket.leak();
    }
    same("dropped anything on the way", dropped > 0, true);
    const { bucket, clock } = leaked;
    await bucket.flush();
    for (const key of ["a", "b", "c"]) await bucket.put({ key });
    const { resetAfter } = await bucket.peek({ key: "a", weight: 0 });
    same("dropped while they count", await bucket.leak(clock.now() + resetAfter - 0.001), 0);
    same("dropped when they do not", await bucket.leak(clock.now() + resetAfter), 3);
    same("dropped the second time", await bucket.leak(clock.now() + resetAfter), 0);
  },
};
