import { ALGORITHMS, bucketSuite } from "@sluice/conformance";
import { slidingWindowLog } from "@sluice/core";
import { SharedMemoryBucket } from "@sluice/memory";
import { describe, test } from "vitest";
import { traceCount } from "../trace-count.js";

const algorithms = ALGORITHMS.filter((algorithm) => algorithm !== slidingWindowLog);

describe("SharedMemoryBucket", () => {
  bucketSuite({
    test,
    factory: (rates, options) =>
      new SharedMemoryBucket(rates, { ...options, maxKeys: 1000, maxWorkers: 4, bookings: true }),
    supports: { algorithms, reserve: true },
    runs: traceCount(300),
  });
});
