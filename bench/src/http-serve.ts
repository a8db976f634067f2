/**
 * `sluice serve` against the same proxy without limits: `http-serve.js ROUNDS MS`.
 *
 * All stand in front of the same server, in processes of their own, and are under load in
 * turn, by 50 connections. Prints as JSON nanoseconds from one answer to the next, and how
 * many microseconds of the processor an answer took: of the proxy, of the server behind it,
 * and of the client.
 */
import { answer } from "./answer.js";
import { expectSame } from "./check.js";
import { load } from "./http-load.js";
import { type Server, start } from "./http-server.js";
import { summarise } from "./statistics.js";
import { takeTurns } from "./turns.js";

const CONNECTIONS = 50;
const WARM_UP = 4;
const RATE = "1000000/s";

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
  "sluice serve": await serve("--rate", RATE, "--burst", "1000000", "--max-concurrent", "64"),
};

await checkRefusal();
const slices = Object.entries(proxies).map(([name, proxy]) => [name, () => slice(name, proxy)] as const);
const all = { ...Object.fromEntries(slices), "the server alone": () => slice("the server alone") };
const measured = await takeTurns<Readonly<Record<string, number>>>(all, Number(rounds), WARM_UP);
for (const { stop } of [...Object.values(proxies), server]) await stop();
answer(`${rounds} rounds of ${ms} ms each, all admitted; a limit of ${RATE}.`, summarise(measured));

async function slice(name: string, proxy?: Server) {
  const before = { proxy: await proxy?.cpu(), server: await server.cpu(), client: process.cpuUsage() };
  const target = (proxy ?? server).port;
  const { answers, seconds, statuses } = await load(target, { connections: CONNECTIONS, ms: Number(ms) });
  const { user, system } = process.cpuUsage(before.client);
  const serverCpu = ((await server.cpu()) - before.server) / answers;
  const proxyCpu = proxy === undefined ? {} : { proxyCpu: ((await proxy.cpu()) - (before.proxy as number)) / answers };
  expectSame(`${name} answered`, statuses, { 200: answers });
  return { ns: (1e9 * seconds) / answers, ...proxyCpu, serverCpu, clientCpu: (user + system) / answers };
}

/** Of six requests of one client, the sixth is refused where five may pass. */
async function checkRefusal(): Promise<void> {
  const strict = await serve("--rate", "5/h");
  const statuses: number[] = [];
  for (let i = 0; i < 6; i++) statuses.push((await fetch(`http://127.0.0.1:${strict.port}`)).status);
  expectSame("sluice serve answered", statuses, [200, 200, 200, 200, 200, 429]);
  await strict.stop();
}
