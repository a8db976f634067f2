/**
 * Who is measured on Redis: Sluice, its peers, and the same done by hand.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { redisStore } from "@joint-ops/hitlimit/stores/redis";
import { Limiter, type Rate, tokenBucket } from "@sluice/core";
import { RedisBucket } from "@sluice/redis";
import { Ratelimit } from "@upstash/ratelimit";
import AsyncRateLimiter from "async-ratelimiter";
import { Redis } from "ioredis";
import { RedisStore } from "rate-limit-redis";
import { RateLimiterRedis } from "rate-limiter-flexible";

/** Decides on one unit for a key, and says whether it was admitted. */
export interface Contestant {
  readonly name: string;
  decide(key: string): Promise<boolean>;
  close(): Promise<unknown>;
}

/** The fewest commands that decide: what a limiter of one key a call cannot beat. */
const BY_HAND = `
  local count = redis.call("INCR", KEYS[1])
  if count == 1 then redis.call("PEXPIRE", KEYS[1], ARGV[1]) end
  return count`;

/** One unit, one connection each; at a PING the server does nothing. */
export async function contestants(port: number, rate: Rate): Promise<Contestant[]> {
  const connect = () => new Redis(port, "127.0.0.1");
  return [
    byHand(connect(), rate),
    ping(connect()),
    await sluice(port, rate),
    flexible(connect(), rate),
    hitlimit(port, rate),
    expressStore(connect(), rate),
    upstash(connect(), rate),
    asyncRateLimiter(connect(), rate),
  ];
}

function ping(client: Redis): Contestant {
  const decide = async () => (await client.ping()) === "PONG";
  return { name: "PING", decide, close: () => client.quit() };
}

function byHand(client: Redis, { limit, interval }: Rate): Contestant {
  client.defineCommand("byHand", { numberOfKeys: 1, lua: BY_HAND });
  const call = (client as unknown as { byHand(key: string, interval: number): Promise<number> }).byHand.bind(client);
  const decide = async (key: string) => (await call(`hand:${key}`, interval)) <= limit;
  return { name: "a script by hand", decide, close: () => client.quit() };
}

async function sluice(port: number, rate: Rate): Promise<Contestant> {
  const limiter = new Limiter(await RedisBucket.open(`redis://127.0.0.1:${port}`, rate, { algorithm: tokenBucket }));
  return { name: "sluice", decide: (key) => limiter.tryAcquire(key), close: () => limiter.close() };
}

function flexible(client: Redis, rate: Rate): Contestant {
  const limiter = new RateLimiterRedis({ storeClient: client, points: rate.limit, duration: rate.interval / 1000 });
  const yes = () => true;
  const no = (reason: unknown) => {
    if (reason instanceof Error) throw reason;
    return false;
  };
  return {
    name: "rate-limiter-flexible",
    decide: (key) => limiter.consume(key).then(yes, no),
    close: () => client.quit(),
  };
}

function hitlimit(port: number, { limit, interval }: Rate): Contestant {
  const store = redisStore({ url: `redis://127.0.0.1:${port}` });
  const decide = async (key: string) => (await store.hit(key, interval, limit)).count <= limit;
  return { name: "hitlimit", decide, close: async () => store.shutdown?.() };
}

function expressStore(client: Redis, { limit, interval }: Rate): Contestant {
  const store = new RedisStore({
    sendCommand: (command: string, ...args: string[]) => client.call(command, ...args) as Promise<never>,
  });
  void store.init({ windowMs: interval } as Parameters<typeof store.init>[0]);
  const decide = async (key: string) => (await store.increment(key)).totalHits <= limit;
  return { name: "rate-limit-redis", decide, close: () => client.quit() };
}

/**
 * Upstash's limiter, with ioredis where its own client would send each command as a request.
 *
 * Its scripts begin with a flag that only Upstash's servers know: it is taken off.
 */
function upstash(client: Redis, { limit, interval }: Rate): Contestant {
  const known = new Map<string, string>();
  const redis = {
    async evalsha(sha: string, keys: string[], args: (string | number)[]) {
      const own = known.get(sha);
      if (own === undefined) throw new Error("NOSCRIPT");
      return client.evalsha(own, keys.length, ...keys, ...args);
    },
    async eval(script: string, keys: string[], args: (string | number)[]) {
      const own = (await client.script("LOAD", script.replace(/^#!.*\n/, ""))) as string;
      known.set(createHash("sha1").update(script).digest("hex"), own);
      return client.evalsha(own, keys.length, ...keys, ...args);
    },
  };
  const limiter = new Ratelimit({
    redis: redis as unknown as ConstructorParameters<typeof Ratelimit>[0]["redis"],
    limiter: Ratelimit.fixedWindow(limit, `${interval} ms`),
    ephemeralCache: false,
    timeout: 0,
  });
  const decide = async (key: string) => (await limiter.limit(key)).success;
  return { name: "@upstash/ratelimit", decide, close: () => client.quit() };
}

function asyncRateLimiter(client: Redis, { limit, interval }: Rate): Contestant {
  const limiter = new AsyncRateLimiter({ db: client, max: limit, duration: interval });
  const decide = async (key: string) => (await limiter.get({ id: key })).remaining > 0;
  return { name: "async-ratelimiter", decide, close: () => client.quit() };
}
