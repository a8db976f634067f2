/**
 * Middleware of Express and handlers of node:http: Sluice, its peers, and the same done by hand.
 *
 * @module
 */
import { gate, rateLimit } from "@sluice/http/express";
import * as node from "@sluice/http/node";
import type { NextFunction, Request, Response } from "express";
import { rateLimit as expressRateLimit } from "express-rate-limit";
import { RateLimiterMemory, type RateLimiterRes } from "rate-limiter-flexible";
import { countByHand } from "./http-by-hand.js";

/** A middleware; what takes its time gives a promise. */
export type Middleware = (request: Request, response: Response, next: NextFunction) => unknown;

/** Makes one that lets each client ask `limit` times a minute. */
export type Contestant = (limit: number) => Middleware;

/** On Express, by name. */
const EXPRESS: Readonly<Record<string, Contestant>> = {
  "by hand, two fields": byHand,
  "sluice, rateLimit": (limit) => rateLimit({ rate: `${limit}/min` }),
  "sluice, gate": (limit) => gate(gateOf(limit)),
  "express-rate-limit, draft-8": (limit) =>
    expressRateLimit({ windowMs: 60_000, limit, standardHeaders: "draft-8", legacyHeaders: false, validate: false }),
  "express-rate-limit, legacy": (limit) =>
    expressRateLimit({ windowMs: 60_000, limit, standardHeaders: false, legacyHeaders: true, validate: false }),
  "rate-limiter-flexible": flexible,
};

/** On node:http, by name. */
const NODE: Readonly<Record<string, Contestant>> = {
  "by hand, two fields": byHand,
  "sluice, rateLimit": (limit) => around((handler) => node.rateLimit({ rate: `${limit}/min` }, handler)),
  "sluice, gate": (limit) => around((handler) => node.gate(gateOf(limit), handler)),
  "rate-limiter-flexible": flexible,
};

/** By framework. */
export const CONTESTANTS = { "express-5": EXPRESS, "express-4": EXPRESS, node: NODE } as const;

function gateOf(limit: number) {
  return {
    rateLimit: { enabled: true, requestsPerSecond: limit / 60, burst: limit },
    queue: { enabled: true, maxConcurrent: 64 },
  };
}

/** What goes around a handler, as what goes before one. */
function around(wrap: (handler: () => void) => node.Handler): Middleware {
  let pass = () => {};
  const handle = wrap(() => pass());
  return (request, response, next) => {
    pass = next;
    return handle(request, response);
  };
}

function byHand(limit: number): Middleware {
  const count = countByHand(limit);
  return (request, response, next) => {
    const left = count(request.socket.remoteAddress as string);
    response.setHeader("RateLimit-Limit", `${limit}`);
    response.setHeader("RateLimit-Remaining", `${left}`);
    if (left >= 0) {
      next();
      return;
    }
    response.statusCode = 429;
    response.end();
  };
}

/** As its manual has it, fields included. */
function flexible(points: number): Middleware {
  const limiter = new RateLimiterMemory({ points, duration: 60 });
  const tell = (response: Response, { msBeforeNext, remainingPoints }: RateLimiterRes) => {
    response.setHeader("Retry-After", msBeforeNext / 1000);
    response.setHeader("X-RateLimit-Limit", points);
    response.setHeader("X-RateLimit-Remaining", remainingPoints);
    response.setHeader("X-RateLimit-Reset", Math.ceil((Date.now() + msBeforeNext) / 1000));
  };
  return (request, response, next) =>
    limiter.consume((request.ip ?? request.socket.remoteAddress) as string).then(
      (result) => {
        tell(response, result);
        next();
      },
      (result) => {
        tell(response, result);
        response.statusCode = 429;
        response.end();
      },
    );
}
