/**
 * One case of the bench on Postgres, in a process of its own: `postgres.js TABLES TRAFFIC KEYS IN_FLIGHT ROUNDS MS`,
 * with the tables `unlogged` or `logged` and the traffic `put` or `zipf` (all are admitted) or `refused` (none is).
 *
 * The contestants take turns in short rounds. Prints, as JSON, nanoseconds a put, and microseconds
 * of processor time here and at the server.
 */
import pg from "pg";
import { answer } from "./answer.js";
import { expectSame } from "./check.js";
import { DAY, makeKeys, makeOrder, makeZipfOrder, PLENTY } from "./keys.js";
import * as contestants from "./postgres-contestants.js";
import { cpuBetween, startPostgres } from "./postgres-process.js";
import { summarise } from "./statistics.js";
import { takeTurns } from "./turns.js";

const WARM_UP = 2;
/** Units that are there in all when it is checked how many are admitted. */
const FEW = 100;
const IDLE = "SELECT 1";

const words = process.argv.slice(2);
const [tables = "unlogged", traffic = "put", count = "10000", inFlight = "50", rounds = "15", ms = "200"] = words;
const keys = makeKeys(Number(count));
const order = traffic === "zipf" ? makeZipfOrder(keys.length, 7) : makeOrder(keys.length, 7);
const limit = traffic === "refused" ? 1 : PLENTY;
let next = 0;

const server = await startPostgres();
try {
  const place = { url: server.url, unlogged: tables === "unlogged" };
  await check("sluice", await contestants.sluice(place, FEW, DAY));
  await check("rate-limiter-flexible", await contestants.flexible(place, FEW, DAY));
  const all: Record<string, contestants.Put> = {
    "upsert by hand": await contestants.byHand(place, limit),
    [IDLE]: await contestants.nothing(place),
    sluice: await contestants.sluice(place, limit, DAY),
    "rate-limiter-flexible": await contestants.flexible(place, limit, DAY),
  };
  // All know all keys, and where there is one unit for each, it is gone. So many that most never come are new when they do.
  if (traffic !== "zipf") for (const put of Object.values(all)) await seeAll(put);
  const slices = Object.entries(all).map(([name, put]) => [name, () => time(name, put)] as const);
  const measured = await takeTurns(Object.fromEntries(slices), Number(rounds), WARM_UP);
  const admission = traffic === "refused" ? "all refused" : "all admitted";
  const settings = `${rounds} rounds of ${ms} ms each; ${limit}/day a key, ${admission}. ${await software()}`;
  await server.stop();
  answer(settings, summarise(measured));
} catch (error) {
  await server.stop();
  throw error;
}

/** What a put takes, of so many in flight at once. */
async function time(name: string, put: contestants.Put) {
  const serverBefore = server.cpu();
  const before = process.cpuUsage();
  const start = process.hrtime.bigint();
  const end = performance.now() + Number(ms);
  let puts = 0;
  let admitted = 0;
  const caller = async () => {
    while (performance.now() < end) {
      if (await put(keys[order[next++ % order.length] as number] as string)) admitted++;
      puts++;
    }
  };
  await Promise.all(Array.from({ length: Number(inFlight) }, caller));
  const ns = Number(process.hrtime.bigint() - start) / puts;
  const { user, system } = process.cpuUsage(before);
  const serverCpu = cpuBetween(serverBefore, server.cpu());
  expectSame(`${name} admitted`, admitted, traffic === "refused" && name !== IDLE ? 0 : puts);
  return { ns, clientCpu: (user + system) / puts, ...(serverCpu === undefined ? {} : { serverCpu: serverCpu / puts }) };
}

/** Lets a contestant see every key once. */
async function seeAll(put: contestants.Put): Promise<void> {
  for (let i = 0; i < keys.length; i += 500) await Promise.all(keys.slice(i, i + 500).map(put));
}

async function check(name: string, put: contestants.Put): Promise<void> {
  const answers = await Promise.all(Array.from({ length: 3 * FEW }, () => put("few")));
  expectSame(`${name} admitted of ${3 * FEW}`, answers.filter(Boolean).length, FEW);
}

async function software(): Promise<string> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  const names = ["server_version", "fsync", "synchronous_commit", "shared_buffers"];
  const values: string[] = [];
  for (const name of names) values.push((await client.query(`SHOW ${name}`)).rows[0][name]);
  await client.end();
  const [version, ...settings] = values.map((value, i) => `${names[i]} ${value}`.replace("server_version", "Postgres"));
  return `${[version, ...settings].join(", ")}; ${contestants.CONNECTIONS} connections each.`;
}
