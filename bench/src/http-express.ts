/**
 * What a middleware takes on Express, alone: `http-express.js ROUNDS REQUESTS`.
 *
 * It is called on real requests and responses, made beforehand, one after the other;
 * each response is closed at once. Prints nanoseconds a request as JSON.
 */
import express, { type Request, type Response } from "express";
import { ADDRESSES, type Exchange, exchanges } from "./http-exchange.js";
import { CONTESTANTS, type Middleware } from "./http-express-contestants.js";
import { expectSame, nsEach, takeRounds } from "./http-turns.js";
import { summarise } from "./statistics.js";

const ENOUGH = 60_000_000;
const CLIENTS = 1000;

const [rounds = "41", requests = "200"] = process.argv.slice(2);
const app = express();
const fromAll = exchanges(CLIENTS, ADDRESSES.IPv4);
const fromOne = exchanges(1, ADDRESSES.IPv4);

for (const [name, contestant] of Object.entries(CONTESTANTS)) await checkRefusal(name, contestant(2));
const slices = Object.entries(CONTESTANTS).map(([name, contestant]) => [name, slice(name, contestant(ENOUGH))]);
process.stdout.write(JSON.stringify(summarise(await takeRounds(Object.fromEntries(slices), Number(rounds)))));
process.exit(0);

/** Exchanges as Express hands them to a middleware. */
function ready(line: Exchange[]) {
  return line.map(({ request, response }) => ({
    request: Object.assign(Object.setPrototypeOf(request, app.request), { app, res: response }) as Request,
    // The prototype is that of Express, and what is ours comes from the object itself.
    response: Object.assign(Object.setPrototypeOf(response, app.response), { app, req: request }) as Response,
  }));
}

function slice(name: string, middleware: Middleware) {
  return async () => {
    const line = ready(fromAll(Number(requests)));
    let served = 0;
    const next = (error?: unknown) => {
      if (error !== undefined) throw error;
      served++;
    };
    const start = process.hrtime.bigint();
    for (const { request, response } of line) {
      const pending = middleware(request, response, next);
      if (pending instanceof Promise) await pending;
      response.emit("close");
    }
    const ns = nsEach(start, line.length);
    expectSame(`${name} served`, served, line.length);
    const told = line.filter(({ response }) => response.getHeaderNames().some((field) => /ratelimit/.test(field)));
    expectSame(`${name} told`, told.length, line.length);
    return ns;
  };
}

/** Of three requests of one client, the third is refused. */
async function checkRefusal(name: string, middleware: Middleware): Promise<void> {
  let served = 0;
  const statuses: number[] = [];
  for (const { request, response } of ready(fromOne(3))) {
    await middleware(request, response, () => served++);
    statuses.push(response.statusCode);
    response.emit("close");
  }
  expectSame(`${name} answered`, [statuses, served], [[200, 200, 429], 2]);
}
