/** One of several processes on one Redis: `scale-process.js PORT START DURATION` prints how many it decided. */
import { setTimeout as sleep } from "node:timers/promises";
import { Rate, tokenBucket } from "@sluice/core";
import { RedisBucket } from "@sluice/redis";
import { Redis } from "ioredis";
import { makeKeys, makeOrder } from "./keys.js";

const IN_FLIGHT = 100;

const [port, start, duration] = process.argv.slice(2).map(Number) as [number, number, number];
const client = new Redis(port, "127.0.0.1");
const bucket = new RedisBucket(client, new Rate(1e9, 86_400_000), { algorithm: tokenBucket });
const names = makeKeys(10_000);
const order = makeOrder(names.length, process.pid);
await bucket.tryPut("warm");
await sleep(Math.max(0, start - Date.now()));
const end = performance.now() + duration;
let decided = 0;
const work = async () => {
  while (performance.now() < end) {
    await bucket.tryPut(names[order[decided++ & (order.length - 1)] as number] as string);
  }
};
await Promise.all(Array.from({ length: IN_FLIGHT }, work));
client.disconnect();
process.stdout.write(`${decided}`);
