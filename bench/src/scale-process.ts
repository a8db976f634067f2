/** One of several processes on one Redis: `scale-process.js PORT START DURATION SEED` prints how many it decided. */
import { setTimeout as sleep } from "node:timers/promises";
import { Rate, tokenBucket } from "@sluice/core";
import { RedisBucket } from "@sluice/redis";
import { Redis } from "ioredis";
import { expectSame } from "./check.js";
import { DAY, makeKeys, makeOrder, PLENTY } from "./keys.js";

const IN_FLIGHT = 100;

const [port, start, duration, seed] = process.argv.slice(2).map(Number) as [number, number, number, number];
const client = new Redis(port, "127.0.0.1");
const bucket = new RedisBucket(client, new Rate(PLENTY, DAY), { algorithm: tokenBucket });
const names = makeKeys(10_000);
const order = makeOrder(names.length, seed);
await bucket.tryPut("warm");
await sleep(Math.max(0, start - Date.now()));
const end = performance.now() + duration;
let decided = 0;
let admitted = 0;
const work = async () => {
  while (performance.now() < end) {
    if (await bucket.tryPut(names[order[decided++ & (order.length - 1)] as number] as string)) admitted++;
  }
};
await Promise.all(Array.from({ length: IN_FLIGHT }, work));
client.disconnect();
expectSame("Calls that were admitted", admitted, decided);
process.stdout.write(`${decided}`);
