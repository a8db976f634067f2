import { CellKernel } from "./cell-kernel.js";
import type { Algorithm } from "./kernel.js";
import { TokenBucketRate } from "./token-bucket.js";

/**
 * The token bucket seen from the other side: a level that leaks at `limit / interval`
 * and admits while it stays within `burst`. It decides as the token bucket does.
 *
 * This is the leaky bucket as a meter (ITU-T I.371); the queue of the same name makes callers wait.
 *
 * @example
 * ```ts
 * import { leakyBucket, ManualClock } from "@sluice/core";
 * import { InMemoryBucket } from "@sluice/memory";
 *
 * const bucket = new InMemoryBucket("10/s", { algorithm: leakyBucket, clock: new ManualClock() });
 * bucket.put({ key: "ada", weight: 4 }).remaining; // => 6
 * bucket.count("ada"); // => 4
 * ```
 */
export const leakyBucket: Algorithm = {
  name: "leaky-bucket",
  compile: (rates) => new CellKernel("token-bucket", rates, (rate) => new TokenBucketRate(rate)),
};
