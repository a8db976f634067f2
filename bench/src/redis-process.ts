/**
 * A Redis of the bench's own.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePort } from "./free-port.js";

/** A server that keeps nothing, and ends with the bench. */
export interface RedisProcess {
  readonly port: number;
  /** Its version and its settings. */
  readonly software: string;
  /** Microseconds of processor time that the server has used. */
  cpu(): Promise<number>;
  stop(): Promise<void>;
}

/** Nothing is written to a disk. */
const VOLATILE = ["--save", "", "--appendonly", "no"];

/** Starts `redis-server` on a free port. */
export async function startRedis(): Promise<RedisProcess> {
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  const settings = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", directory, ...VOLATILE];
  const server = spawn("redis-server", settings, { stdio: "ignore" });
  const failed = once(server, "error").then(([error]) => Promise.reject(error));
  const client = new Redis(port, "127.0.0.1", { maxRetriesPerRequest: null });
  client.on("error", () => {});
  await Promise.race([client.ping(), failed]);
  const version = /^redis_version:(\S*)/m.exec(await client.info("server"))?.[1];
  return {
    port,
    software: `Redis ${version}, ${VOLATILE.map((word) => word || '""').join(" ")}.`,
    async cpu() {
      const info = await client.info("cpu");
      const seconds = (name: string) => Number(new RegExp(`^${name}:(.*)$`, "m").exec(info)?.[1]);
      return 1e6 * (seconds("used_cpu_user") + seconds("used_cpu_sys"));
    },
    async stop() {
      client.disconnect();
      server.kill("SIGKILL");
      await once(server, "exit");
      rmSync(directory, { recursive: true });
    },
  };
}
