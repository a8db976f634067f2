import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { AbstractBucket, BucketOptions, RatesLike } from "@sluice/core";
import { guideExample } from "../docs/examples.js";

/** A class of the shape that the guide's bucket has. */
export type BucketClass = new (rates: RatesLike, options: BucketOptions) => AbstractBucket<"sync">;

/** The bucket of the guide "Writing a bucket", as it stands there. */
export async function guideBucket(): Promise<BucketClass> {
  const folder = new URL("../.examples/guide/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  const file = new URL("map-bucket.ts", folder);
  writeFileSync(file, guideExample("writing-a-bucket"));
  const module: unknown = await import(/* @vite-ignore */ pathToFileURL(fileURLToPath(file)).href);
  return (module as { MapBucket: BucketClass }).MapBucket;
}
