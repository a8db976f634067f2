import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bucketSuite } from "@sluice/conformance";
import { SQLiteBucket } from "@sluice/sqlite";
import { afterAll, describe, test } from "vitest";
import { traceCount } from "../trace-count.js";

/** Random histories an algorithm; more in a long run. */
const RUNS = traceCount(40);

describe("SQLiteBucket", { timeout: 30_000 + 200 * RUNS }, () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-"));
  const file = join(folder, "limits.db");
  // With one that stays open, no bucket is the last one out, which would have to tidy up.
  const keeper = SQLiteBucket.open(file, "1/s", { name: "keeper" });
  afterAll(() => {
    keeper.close();
    rmSync(folder, { recursive: true });
  });

  // All buckets lie in one file, each by its name.
  let buckets = 0;
  bucketSuite({
    test,
    factory: (rates, options) => SQLiteBucket.open(file, rates, { ...options, name: `bucket ${buckets++}` }),
    supports: { reserve: true, replaceRates: true },
    runs: RUNS,
  });
});
