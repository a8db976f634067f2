import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { cp, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { StoreError, tokenBucket } from "@sluice/core";
import { PostgresBucket } from "@sluice/postgres";
import pg from "pg";
import { describe, expect, test } from "vitest";
import { freePort } from "../../../test/servers/ports.js";
import { PostgresServer } from "../../../test/servers/postgres-server.js";
import { postgresUrl } from "../../../test/servers/urls.js";

const run = promisify(execFile);
const folderOfPackage = fileURLToPath(new URL("..", import.meta.url));

/** What a program says that runs in a folder, with what is built. */
async function say(cwd: string, program: string): Promise<string> {
  const words = ["--input-type=module", "--eval", program];
  return (await run(process.execPath, words, { cwd, timeout: 20_000 })).stdout.trim();
}

describe("PostgresBucket.open()", () => {
  test("says where nobody answers, in time and without what is secret", async () => {
    const port = await freePort();
    const start = performance.now();
    const url = `postgres://ada:secret@127.0.0.1:${port}/app?sslmode=disable`;
    const error: unknown = await PostgresBucket.open(url, "5/min", { timeout: 3000 }).catch(
      (reason: unknown) => reason,
    );
    expect(performance.now() - start).toBeLessThan(3500);
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ code: "STORE" });
    const place = `postgres://127.0.0.1:${port}/app`;
    expect(String(error)).toMatch(`Cannot open "${place}": Postgres failed (connect ECONNREFUSED 127.0.0.1:${port})`);
  });

  test("tells the server when to give up, so that what nobody waits for holds no locks", async () => {
    const url = await postgresUrl();
    const table = `given_up_${randomUUID().slice(0, 8)}`;
    const client = new pg.Client(url);
    await client.connect();
    await using bucket = await PostgresBucket.open(url, "5/min", { algorithm: tokenBucket, table, timeout: 300 });
    await bucket.putMany([{ key: "ada" }, { key: "bob" }]);
    await client.query(`BEGIN; SELECT 1 FROM ${table} WHERE encode(key, 'escape') LIKE '%bob' FOR UPDATE`);
    const both = await Promise.allSettled([bucket.put({ key: "ada" }), bucket.put({ key: "bob" })]);
    const late = expect.objectContaining({ name: "StoreError", code: "STORE_TIMEOUT" });
    expect(both.map((result) => (result.status === "rejected" ? result.reason : result.value))).toEqual([late, late]);
    // The row of the one is held as long as this session likes; that of the other no longer.
    await expect.poll(() => bucket.tryPut("ada"), { timeout: 10_000 }).toBe(true);
    await client.query("ROLLBACK");
    await client.end();
  });

  test("lets the time be without end", async () => {
    const options = { name: randomUUID(), timeout: Number.POSITIVE_INFINITY };
    await using bucket = await PostgresBucket.open(await postgresUrl(), "5/min", options);
    expect((await bucket.put({ key: "ada" })).remaining).toBe(4);
  });

  test("says which packages to install where pg is missing", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-postgres-"));
    try {
      const modules = join(folder, "node_modules");
      await mkdir(join(modules, "@sluice"), { recursive: true });
      for (const part of ["dist", "package.json"]) {
        await cp(join(folderOfPackage, part), join(modules, "@sluice/postgres", part), { recursive: true });
      }
      await symlink(join(folderOfPackage, "../core"), join(modules, "@sluice/core"));
      const said = await say(
        folder,
        `const { PostgresBucket } = await import("@sluice/postgres");
        await PostgresBucket.open("postgres://ada:secret@localhost/app", "5/min").catch((error) => console.log(String(error)));`,
      );
      const hint = "the package pg is not installed. Run npm install @sluice/postgres pg.";
      expect(said).toBe(`Error: Cannot open "postgres://localhost/app": ${hint}`);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("lets the process end once it is closed, or could not be opened, and survives a server that hangs up", async () => {
    await using server = await new PostgresServer().start();
    const port = await freePort();
    const said = await say(
      folderOfPackage,
      `import pg from "pg";
      const { PostgresBucket } = await import("@sluice/postgres");
      await PostgresBucket.open("postgres://127.0.0.1:${port}/app", "5/min").catch((error) => console.log(error.code));
      const bucket = await PostgresBucket.open("${server.url}", "5/min");
      console.log(await bucket.tryPut("ada"));
      const client = new pg.Client("${server.url}");
      await client.connect();
      await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sluice'");
      await client.end();
      await new Promise((resolve) => setTimeout(resolve, 100));
      console.log((await bucket.put({ key: "ada" })).remaining);
      await bucket.close();`,
    );
    expect(said).toBe("STORE\ntrue\n3");
  });
});
