/**
 * Servers that the environment names, used in place of our own.
 *
 * @module
 */
import type { NodeAddress } from "./redis-cluster.js";

/** Where a Redis is, or `undefined` to start one. */
export function givenRedis(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  return givenUrl("SLUICE_TEST_REDIS_URL", ["redis://", "rediss://"], environment);
}

/** Where a Postgres is, or `undefined` to start one. */
export function givenPostgres(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  return givenUrl("SLUICE_TEST_POSTGRES_URL", ["postgres://", "postgresql://"], environment);
}

/** Where nodes of a Redis Cluster are, or `undefined` to start one. */
export function givenCluster(environment: NodeJS.ProcessEnv = process.env): NodeAddress[] | undefined {
  const { SLUICE_TEST_REDIS_CLUSTER_URL: list } = environment;
  if (list === undefined || list === "") return undefined;
  return list.split(",").map((node) => {
    const [, host, port] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(node.trim()) ?? [];
    if (host !== undefined && port !== undefined) return { host, port: Number(port) };
    throw new TypeError(
      `SLUICE_TEST_REDIS_CLUSTER_URL has ${JSON.stringify(node)}: each node is host:port, with commas in between.`,
    );
  });
}

function givenUrl(name: string, protocols: readonly string[], environment: NodeJS.ProcessEnv): string | undefined {
  const url = environment[name];
  if (url === undefined || url === "") return undefined;
  if (protocols.some((protocol) => url.startsWith(protocol))) return url;
  throw new TypeError(`${name} is ${JSON.stringify(url)}: it must begin with ${protocols.join(" or ")}.`);
}
