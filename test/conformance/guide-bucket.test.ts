import { bucketSuite } from "@sluice/conformance";
import { describe, expect, test } from "vitest";
import { guideExample } from "../docs/examples.js";
import { guideBucket } from "./guide-bucket.js";

const MapBucket = await guideBucket();

describe("the bucket of the guide", () => {
  test("is a class of about 50 lines", () => {
    const code = guideExample("writing-a-bucket");
    const lines = code.slice(code.indexOf("export class"), code.indexOf("\n}\n")).split("\n");
    expect(lines.length).toBeLessThanOrEqual(50);
  });

  bucketSuite({ test, factory: (rates, options) => new MapBucket(rates, options) });
});
