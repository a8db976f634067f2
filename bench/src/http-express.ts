/**
 * What a middleware takes, alone: `http-express.js FRAMEWORK TRAFFIC ROUNDS REQUESTS`, with the framework
 * `express-5`, `express-4` or `node`, and the traffic `put` (all are admitted) or `refused` (none is).
 *
 * It is called on real requests and responses, made beforehand, one after the other;
 * each response is closed at once. Prints nanoseconds a request as JSON.
 */
import { createRequire } from "node:module";
import express, { type Request, type Response } from "express";
import { answer } from "./answer.js";
import { expectSame } from "./check.js";
import { ADDRESSES, CLIENTS, ENOUGH, type Exchange, exchanges } from "./http-exchange.js";
import { CONTESTANTS, type Middleware } from "./http-express-contestants.js";
import { takeRounds } from "./http-turns.js";
import { summarise } from "./statistics.js";
import { nsEach } from "./turns.js";

// The types that are installed are those of Express 5.
const express4 = createRequire(import.meta.url)("express-4") as typeof express;
const APPS = { "express-5": express, "express-4": express4, node: undefined } as const;

const [framework = "express-5", traffic = "put", rounds = "41", requests = "200"] = process.argv.slice(2);
const app = APPS[framework as keyof typeof APPS]?.();
const contestants = Object.entries(CONTESTANTS[framework as keyof typeof CONTESTANTS]);
const fromAll = exchanges(CLIENTS, ADDRESSES.IPv4);
const fromOne = exchanges(1, ADDRESSES.IPv4);
const isRefused = traffic === "refused";
const limit = isRefused ? 1 : ENOUGH;

for (const [name, contestant] of contestants) await checkRefusal(name, contestant(2));
const slices: Record<string, () => Promise<number>> = {};
for (const [name, contestant] of contestants) {
  const middleware = contestant(limit);
  // Where each client may ask once, it has done so.
  if (isRefused) await run(middleware, ready(fromAll(CLIENTS)));
  slices[name] = () => slice(name, middleware);
}
const measured = summarise(await takeRounds(slices, Number(rounds)));
answer(
  `${rounds} rounds of ${requests} requests; ${limit}/min a client, all ${isRefused ? "refused" : "admitted"}.`,
  measured,
);

/** Exchanges as the framework hands them on. */
function ready(line: Exchange[]) {
  return line.map(({ request, response }) => {
    if (app === undefined) return { request: request as Request, response: response as unknown as Response };
    return {
      request: Object.assign(Object.setPrototypeOf(request, app.request), { app, res: response }) as Request,
      // The prototype is that of Express, and what is ours comes from the object itself.
      response: Object.assign(Object.setPrototypeOf(response, app.response), { app, req: request }) as Response,
    };
  });
}

async function slice(name: string, middleware: Middleware): Promise<number> {
  const line = ready(fromAll(Number(requests)));
  const { ns, served } = await run(middleware, line);
  expectSame(`${name} served`, served, isRefused ? 0 : line.length);
  const told = line.filter(({ response }) => response.getHeaderNames().some((field) => /ratelimit/.test(field)));
  expectSame(`${name} told`, told.length, line.length);
  return ns;
}

async function run(middleware: Middleware, line: ReturnType<typeof ready>) {
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
  return { ns: nsEach(start, line.length), served };
}

/** Of three requests of one client, the third is refused. */
async function checkRefusal(name: string, middleware: Middleware): Promise<void> {
  const line = ready(fromOne(3));
  const { served } = await run(middleware, line);
  expectSame(`${name} answered`, [line.map(({ response }) => response.statusCode), served], [[200, 200, 429], 2]);
}
