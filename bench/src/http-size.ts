/**
 * What a client takes that is tracked: `http-size.js CONTESTANT`, with --expose-gc.
 *
 * 100,000 clients ask once each. Prints the bytes of each beyond its key, an address, as JSON.
 */
import { RateLimiter } from "@sluice/http";
import { MemoryStore } from "express-rate-limit";
import { answer } from "./answer.js";
import { expectSame } from "./check.js";
import { summarise } from "./statistics.js";

const CLIENTS = 100_000;

/** Each gives a way to count a client, and to learn how many are tracked. */
const CONTESTANTS: Readonly<Record<string, () => [(client: string) => unknown, () => number]>> = {
  "by hand, a Map of counts": () => {
    const counts = new Map<string, number>();
    return [(client) => counts.set(client, (counts.get(client) ?? 0) + 1), () => counts.size];
  },
  "sluice, RateLimiter": () => {
    const limiter = new RateLimiter();
    const check = (remoteAddress: string) => limiter.check({ headers: {}, socket: { remoteAddress } });
    return [check, () => limiter.metrics.tracked];
  },
  "express-rate-limit, MemoryStore": () => {
    const store = new MemoryStore();
    store.init({ windowMs: 60_000 } as Parameters<typeof store.init>[0]);
    return [(client) => store.increment(client), () => store.current.size + store.previous.size];
  },
};

const [name = "sluice, RateLimiter"] = process.argv.slice(2);
const contestant = CONTESTANTS[name];
if (contestant === undefined)
  throw new Error(`There is no ${name}: name one of ${Object.keys(CONTESTANTS).join(", ")}.`);
const keyBytes = bytesOfKeys();
const [count, tracked] = contestant();
const before = bytes();
for (let i = 0; i < CLIENTS; i++) await count(address(i));
const each = (bytes() - before) / CLIENTS - keyBytes;
expectSame(`${name} tracks`, tracked(), CLIENTS);
answer("One run each; a minute's window, each client once.", summarise([new Map([[name, { bytes: each }]])]));

function bytesOfKeys(): number {
  const keys = new Array<string>(CLIENTS);
  const empty = bytes();
  for (let i = 0; i < CLIENTS; i++) keys[i] = address(i);
  return (bytes() - empty) / keys.length;
}

/** In one flat string, as Node gives it. */
function address(i: number): string {
  return Buffer.from(`10.${100 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`).toString("latin1");
}

function bytes(): number {
  for (let i = 0; i < 3; i++) global.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
