/**
 * So many keys in memory: `scale-keys.js KEYS CALLS`. Says when they are in; then, whenever it is
 * told to go, decides and says how many nanoseconds a call took.
 */

import { Rate, tokenBucket } from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import { expectSame } from "./check.js";
import { DAY, makeKeys, makeWalk, PLENTY } from "./keys.js";
import { nsEach } from "./turns.js";

const [count = 1000, calls = 300_000] = process.argv.slice(2).map(Number);
const names = makeKeys(count);
const bucket = new InMemoryBucket(new Rate(PLENTY, DAY), { algorithm: tokenBucket, maxKeys: 2 * count });
for (const name of names) bucket.tryPut(name);
expectSame("Keys that are held", bucket.size, count);
const walk = makeWalk(count, 7);
process.on("message", () => process.send?.(run()));
process.on("disconnect", () => process.exit());
process.send?.("ready");

function run(): number {
  let admitted = 0;
  const start = process.hrtime.bigint();
  for (let i = 0; i < calls; i++) if (bucket.tryPut(names[walk()] as string)) admitted++;
  const ns = nsEach(start, calls);
  expectSame("Calls that were admitted", admitted, calls);
  return ns;
}
