import { fixedWindow } from "./fixed-window.js";
import type { Algorithm } from "./kernel.js";
import { leakyBucket } from "./leaky-bucket.js";
import { slidingWindowCounter } from "./sliding-window-counter.js";
import { slidingWindowLog } from "./sliding-window-log.js";
import { tokenBucket } from "./token-bucket.js";

/** Every algorithm there is. */
export const ALGORITHMS: readonly Algorithm[] = [
  slidingWindowLog,
  slidingWindowCounter,
  fixedWindow,
  tokenBucket,
  leakyBucket,
];
