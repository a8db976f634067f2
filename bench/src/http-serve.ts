/**
 * `sluice serve` against the same proxy without limits: `http-serve.js ROUNDS MS`.
 *
 * All stand in front of the same server, in processes of their own, and are under load in
 * turn, by 50 connections. Prints as JSON nanoseconds from one answer to the next, and how
 * many of the proxy's processor an answer took.
 */
import { load } from "./http-load.js";
import { type Server, start } from "./http-server.js";
import { expectSame, takeTurns } from "./http-turns.js";
import { summarise } from "./statistics.js";

/** Nanoseconds an answer. */
interface Cost {
  readonly wall: number;
  readonly cpu: number;
}

const CONNECTIONS = 50;
const WARM_UP = 4;

const [rounds = "31", ms = "400"] = process.argv.slice(2);
const program = new URL("http-serve-process.js", import.meta.url);
const command = new URL("../../packages/cli/dist/main.js", import.meta.url);

const server = await start(program);
const origin = `http://127.0.0.1:${server.port}`;
const serve = (...flags: string[]) =>
  start(command, "serve", "--upstream", origin, "--host", "127.0.0.1", "--port", "0", ...flags);
const proxies = {
  "the proxy alone": await start(program, origin),
  "sluice serve, no limit": await serve("--rate", "none"),
  "sluice serve": await serve("--rate", "1000000/s", "--burst", "1000000", "--max-concurrent", "64"),
};

await checkRefusal();
const slices = Object.entries(proxies).map(([name, proxy]) => [name, () => slice(name, proxy)] as const);
const measured = (await takeTurns(Object.fromEntries(slices), Number(rounds) + WARM_UP)).slice(WARM_UP);
const only = (what: keyof Cost) =>
  measured.map((costs) => new Map([...costs].map(([name, cost]) => [name, cost[what]])));
process.stdout.write(JSON.stringify({ wall: summarise(only("wall")), cpu: summarise(only("cpu")) }));
for (const { stop } of [...Object.values(proxies), server]) await stop();
process.exit(0);

async function slice(name: string, proxy: Server): Promise<Cost> {
  const before = await proxy.cpu();
  const { answers, seconds, statuses } = await load(proxy.port, { connections: CONNECTIONS, ms: Number(ms) });
  const cpu = (1000 * ((await proxy.cpu()) - before)) / answers;
  expectSame(`${name} answered`, statuses, { 200: answers });
  return { wall: (1e9 * seconds) / answers, cpu };
}

/** Of six requests of one client, the sixth is refused where five may pass. */
async function checkRefusal(): Promise<void> {
  const strict = await serve("--rate", "5/h");
  const statuses: number[] = [];
  for (let i = 0; i < 6; i++) statuses.push((await fetch(`http://127.0.0.1:${strict.port}`)).status);
  expectSame("sluice serve answered", statuses, [200, 200, 200, 200, 200, 429]);
  await strict.stop();
}
