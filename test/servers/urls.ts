/**
 * Where the servers are that test files share. The first question starts the server, in a
 * hook or at the top of a test file: `const url = await redisUrl();`.
 *
 * Others use them at the same time: have a prefix, a table or a schema of your own, and
 * leave FLUSHALL, SCRIPT FLUSH, a kill and a restart to servers of your own.
 *
 * @module
 */
import { inject } from "vitest";
import type { Places } from "./broker.js";
import type { NodeAddress } from "./redis-cluster.js";

/** A single Redis, as `redis://host:port`. */
export function redisUrl(): Promise<string> {
  return place("redis");
}

/** The nodes of a Redis Cluster. */
export function clusterNodes(): Promise<readonly NodeAddress[]> {
  return place("cluster");
}

/** A Postgres, as `postgres://user@host:port/database`. The user may do everything. */
export function postgresUrl(): Promise<string> {
  return place("postgres");
}

async function place<K extends keyof Places>(kind: K): Promise<Places[K]> {
  const response = await fetch(`${inject("serverBroker")}/${kind}`);
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as Places[K];
}
