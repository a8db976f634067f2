import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bucketSuite } from "@sluice/conformance";
import { SQLiteBucket } from "@sluice/sqlite";
import { afterAll, describe, test } from "vitest";

/** Random histories an algorithm; more in a long run. */
const RUNS = Number(process.env["SLUICE_TRACES"] ?? 40);

describe("SQLiteBucket", { timeout: 30_000 + 200 * RUNS }, () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-"));
  const file = join(folder, "limits.db");
  afterAll(() => rmSync(folder, { recursive: true }));

  // All buckets lie in one file, each by its name.
  let buckets = 0;
  bucketSuite({
    test,
    factory: (rates, options) => SQLiteBucket.open(file, rates, { ...options, name: `bucket ${buckets++}` }),
    runs: RUNS,
  });
});
