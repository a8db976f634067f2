/**
 * What a limit takes in a whole app: real requests and responses of Node, made beforehand,
 * go all the way through, one after the other.
 *
 * @module
 */
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { answer } from "./answer.js";
import { expectSame } from "./check.js";
import { ADDRESSES, CLIENTS, ENOUGH, type Exchange, exchanges } from "./http-exchange.js";
import { beyond, takeRounds } from "./http-turns.js";
import { summarise } from "./statistics.js";
import { nsEach } from "./turns.js";

/** Makes an app each of whose clients may ask `limit` times a minute. */
export type MakeApp = (limit: number) => RequestListener | Promise<RequestListener>;

const BARE = "bare";

/** Prints nanoseconds a request beyond the bare app. The words are the family of addresses, rounds and requests. */
export async function measureApps(
  bare: MakeApp,
  limited: Readonly<Record<string, MakeApp>>,
  [family = "IPv4", rounds = "41", requests = "200"]: readonly string[],
): Promise<never> {
  const make = exchanges(CLIENTS, ADDRESSES[family as keyof typeof ADDRESSES]);
  const apps: Record<string, RequestListener> = { [BARE]: await bare(ENOUGH) };
  for (const [name, makeApp] of Object.entries(limited)) {
    await checkRefusal(name, await makeApp(2));
    apps[name] = await makeApp(ENOUGH);
  }
  const slices = Object.entries(apps).map(([name, app]) => [name, () => slice(name, app, make(Number(requests)))]);
  return answerBeyond(`${rounds} rounds of ${requests} requests`, Object.fromEntries(slices), Number(rounds));
}

/** Lets apps take turns, and prints what the others take beyond the bare one. */
export async function answerBeyond(
  settings: string,
  slices: Readonly<Record<string, () => Promise<number>>>,
  rounds: number,
): Promise<never> {
  const measured = await takeRounds(slices, rounds);
  const { ns: own } = summarise(measured).find(({ name }) => name === BARE)?.measures ?? {};
  const us = (ns = Number.NaN) => (ns / 1000).toFixed(1);
  const floor = `The bare app takes ${us(own?.median)} us a request (${us(own?.least)} - ${us(own?.most)}).`;
  return answer(`${settings}; ${ENOUGH}/min a client, all admitted. ${floor}`, summarise(beyond(BARE, measured)));
}

/** Of three requests of one client, all are told what is left, and the third is refused. */
async function checkRefusal(name: string, app: RequestListener): Promise<void> {
  const server = createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  const answers: unknown[] = [];
  for (let i = 0; i < 3; i++) {
    const { status, headers } = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    answers.push(
      status,
      [...headers.keys()].some((field) => /ratelimit/.test(field)),
    );
  }
  server.closeAllConnections();
  server.close();
  expectSame(`${name} answered`, answers, [200, true, 200, true, 429, true]);
}

async function slice(name: string, app: RequestListener, line: readonly Exchange[]): Promise<number> {
  const start = process.hrtime.bigint();
  for (const exchange of line) await ask(app, exchange);
  const ns = nsEach(start, line.length);
  const served = line.filter(({ response }) => response.statusCode === 200);
  expectSame(`${name} served`, served.length, line.length);
  return ns;
}

function ask(app: RequestListener, { request, response }: Exchange): Promise<void> {
  return new Promise((resolve) => {
    response.onEnd = resolve;
    app(request, response);
  });
}
