import { bucketSuite } from "@sluice/conformance";
import { toAsync } from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import { describe, test } from "vitest";
import { MapRemoteBucket } from "./map-remote-bucket.js";

describe("RemoteBucket", () => {
  bucketSuite({
    test,
    factory: (rates, options) => new MapRemoteBucket(rates, options),
    supports: { replaceRates: true },
    runs: 50,
  });
});

describe("toAsync()", () => {
  bucketSuite({
    test,
    factory: (rates, options) => toAsync(new InMemoryBucket(rates, options)),
    supports: { reserve: true, replaceRates: true },
    runs: 50,
  });
});
