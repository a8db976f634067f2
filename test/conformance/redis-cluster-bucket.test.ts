import { randomUUID } from "node:crypto";
import { bucketSuite } from "@sluice/conformance";
import { RedisBucket } from "@sluice/redis";
import { Cluster } from "ioredis";
import { afterAll, describe, test } from "vitest";
import { clusterNodes } from "../servers/urls.js";
import { traceCount } from "../trace-count.js";

const client = new Cluster([...(await clusterNodes())]);
const run = randomUUID();
let buckets = 0;

afterAll(() => client.quit());

describe("RedisBucket on a Cluster", () => {
  bucketSuite({
    test,
    factory: (rates, options) => new RedisBucket(client, rates, { ...options, name: `${run} ${buckets++}` }),
    supports: { reserve: true, replaceRates: true },
    runs: traceCount(25),
  });
});
