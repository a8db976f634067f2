import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Cluster } from "ioredis";
import pg from "pg";
import { describe, expect, test } from "vitest";
import { givenCluster, givenPostgres, givenRedis } from "./given.js";
import { PostgresServer } from "./postgres-server.js";
import { ANNOUNCE } from "./reaper.js";
import { findOnPath, redisBinary } from "./redis-binary.js";
import { RedisCluster } from "./redis-cluster.js";
import { RedisServer } from "./redis-server.js";
import { clusterNodes, postgresUrl, redisUrl } from "./urls.js";

/** What a client hears that connects to this port: `undefined` when it gets through. */
async function refusal(port: number): Promise<unknown> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return undefined;
  } catch (error) {
    return error;
  } finally {
    socket.destroy();
  }
}

const REFUSED = expect.objectContaining({ code: "ECONNREFUSED" });

describe.concurrent("RedisServer", () => {
  const ping = (server: RedisServer) => server.withClient((client) => client.ping());

  test("answers, again on the same port after a restart, and no more after a stop", async () => {
    await using server = await new RedisServer().start();
    const { port, pid } = server;
    expect(await ping(server)).toBe("PONG");
    await server.restart();
    expect(server.port).toBe(port);
    expect(server.pid).not.toBe(pid);
    expect(await ping(server)).toBe("PONG");
    await server.stop();
    expect(await refusal(port)).toEqual(REFUSED);
  });

  test.each([true, false])(
    "with appendOnly %s keeps what was written before a kill, or nothing",
    async (appendOnly) => {
      await using server = await new RedisServer({ appendOnly }).start();
      await server.withClient((client) => client.set("key", "value"));
      await server.kill();
      expect(await refusal(server.port)).toEqual(REFUSED);
      await server.start();
      expect(await server.withClient((client) => client.get("key"))).toBe(appendOnly ? "value" : null);
    },
  );

  test("says which port is taken", async () => {
    await using server = await new RedisServer().start();
    const other = new RedisServer({ port: server.port });
    await expect(other.start()).rejects.toThrow(`Redis cannot start: port ${server.port} is taken.`);
    expect(await ping(server)).toBe("PONG");
  });

  test("says what the server wrote when it does not start", async () => {
    await using server = new RedisServer({ settings: { maxmemory: "lots" } });
    await expect(server.start()).rejects.toThrow(
      /Redis did not start on port \d+: it ended with code 1[\s\S]*maxmemory/,
    );
  });
});

describe.concurrent("RedisCluster", () => {
  test("serves all slots, again after the restart of a node, and no more after a stop", async () => {
    await using cluster = await new RedisCluster().start();
    const [node] = cluster.nodes;
    expect(await node.withClient((client) => client.cluster("INFO"))).toContain("cluster_slots_ok:16384");
    const client = new Cluster(cluster.addresses);
    await Promise.all(["a", "b", "c", "d", "e", "f"].map((key) => client.set(key, key)));
    client.disconnect();
    const sizes = await Promise.all(cluster.nodes.map((each) => each.withClient((one) => one.dbsize())));
    expect(sizes).not.toContain(0);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(6);

    await node.restart();
    await cluster.ready();
    expect(await node.withClient((each) => each.cluster("INFO"))).toContain("cluster_state:ok");
    const { addresses } = cluster;
    await cluster.stop();
    expect(await Promise.all(addresses.map(({ port }) => refusal(port)))).toEqual([REFUSED, REFUSED, REFUSED]);
  });
});

describe.concurrent("PostgresServer", () => {
  const one = (server: PostgresServer, sql: string) =>
    server.withClient(async (client) => Object.values((await client.query(sql)).rows[0]));

  test("answers, keeps its data through a restart and a kill, and is gone after a stop", async () => {
    await using server = await new PostgresServer().start();
    const { port } = server;
    expect(await one(server, "SHOW fsync")).toEqual(["on"]);
    await server.withClient((client) =>
      client.query("CREATE TABLE logged (i int); CREATE UNLOGGED TABLE fast (i int)"),
    );
    await server.withClient((client) => client.query("INSERT INTO logged VALUES (1); INSERT INTO fast VALUES (1)"));
    const rows = "SELECT (SELECT count(*)::int FROM logged) AS logged, (SELECT count(*)::int FROM fast) AS fast";

    await server.restart();
    expect(await one(server, rows)).toEqual([1, 1]);
    await server.kill();
    expect(await refusal(port)).toEqual(REFUSED);
    await server.start();
    expect(server.port).toBe(port);
    // An empty unlogged table is what tells that this was a crash.
    expect(await one(server, rows)).toEqual([1, 0]);
    await server.stop();
    expect(await refusal(port)).toEqual(REFUSED);
  });

  test("says what the server wrote when it does not start", async () => {
    await using server = new PostgresServer({ settings: { max_connections: "none" } });
    await expect(server.start()).rejects.toThrow(/Postgres did not start on port \d+: [\s\S]*max_connections/);
  });
});

describe.concurrent("the shared servers", () => {
  test("answer", async () => {
    const [redis, nodes, postgres] = await Promise.all([redisUrl(), clusterNodes(), postgresUrl()]);
    expect(redis).toMatch(/^rediss?:/);
    const cluster = new Cluster([...nodes]);
    expect(await cluster.cluster("INFO")).toContain("cluster_state:ok");
    cluster.disconnect();
    const client = new pg.Client(postgres);
    await client.connect();
    expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
    await client.end();
    expect(await redisUrl()).toBe(redis);
  });

  test("may be given ones", () => {
    const environment = {
      SLUICE_TEST_REDIS_URL: "redis://cache:6379",
      SLUICE_TEST_REDIS_CLUSTER_URL: "a:7000, [::1]:7001",
      SLUICE_TEST_POSTGRES_URL: "",
    };
    expect(givenRedis(environment)).toBe("redis://cache:6379");
    expect(givenCluster(environment)).toEqual([
      { host: "a", port: 7000 },
      { host: "::1", port: 7001 },
    ]);
    expect(givenPostgres(environment)).toBeUndefined();
    expect(() => givenRedis({ SLUICE_TEST_REDIS_URL: "cache" })).toThrow('SLUICE_TEST_REDIS_URL is "cache"');
    expect(() => givenCluster({ SLUICE_TEST_REDIS_CLUSTER_URL: "a" })).toThrow('SLUICE_TEST_REDIS_CLUSTER_URL has "a"');
  });
});

describe("redisBinary()", () => {
  test("takes valkey-server where there is no redis-server, and else says what to run", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-path-"));
    try {
      await expect(redisBinary(folder)).rejects.toThrow(
        /neither redis-server nor valkey-server .* Run: .* install redis/,
      );
      await writeFile(join(folder, "valkey-server"), "");
      expect(findOnPath(["valkey-server"], folder)).toBeUndefined();
      await chmod(join(folder, "valkey-server"), 0o755);
      expect(await redisBinary(`/nowhere:${folder}`)).toBe(join(folder, "valkey-server"));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("the reaper", () => {
  test("ends what its process left running, and removes what it left lying", async () => {
    const script = fileURLToPath(new URL("./reaper-process.mjs", import.meta.url));
    const directory = await mkdtemp(join(tmpdir(), "sluice-left-"));
    const reaper = spawn(process.execPath, [script], { stdio: ["pipe", "inherit", "inherit"] });
    const words = ["-c", ANNOUNCE, JSON.stringify("SIGTERM"), "sleep", "600"];
    const left = spawn("/bin/sh", words, { detached: true, stdio: ["ignore", "ignore", "inherit", reaper.stdin] });
    const ended = once(left, "exit");
    reaper.stdin.write(`${JSON.stringify({ made: directory })}\n`);
    // As the end of a process closes it: what a program that just starts has to say still gets through.
    reaper.stdin.destroy();
    expect(await ended).toEqual([null, "SIGTERM"]);
    expect(await once(reaper, "exit")).toEqual([0, null]);
    expect(existsSync(directory)).toBe(false);
  });
});
