import { bucketSuite } from "@sluice/conformance";
import { InMemoryBucket } from "@sluice/memory";
import { describe, test } from "vitest";

describe("InMemoryBucket", () => {
  bucketSuite({
    test,
    factory: (rates, options) => new InMemoryBucket(rates, options),
    supports: { reserve: true, replaceRates: true },
    runs: 400,
  });
});
