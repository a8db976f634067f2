/**
 * Rate limits and a gate for Fastify 5.
 *
 * @example
 * ```ts no-run
 * import { rateLimit } from "@sluice/http/fastify";
 * import Fastify from "fastify";
 *
 * const app = Fastify();
 * await app.register(rateLimit({ rate: 100, burst: 200, trustedHosts: ["10.0.0.0/8"] }));
 * app.get("/", () => "hello");
 * await app.listen({ port: 8080 });
 * ```
 *
 * @module
 */
import type { Mode } from "@sluice/core";
import type { FastifyPluginCallback, FastifyReply, FastifyRequest, onRequestHookHandler } from "fastify";
import type { Answer, Field } from "../answer/answer.js";
import { beside } from "../answer/beside.js";
import { Gate } from "../gate/gate.js";
import type { GateOptions } from "../gate/options.js";
import type { Passage } from "../gate/passage.js";
import { HangUp, isOver, turnOf } from "../node/connection.js";
import { atOnce } from "../rate-limiter/drive.js";
import type { RateLimiterOptions } from "../rate-limiter/options.js";
import { RateLimiter } from "../rate-limiter/rate-limiter.js";
import type { Verdict } from "../rate-limiter/verdict.js";
import { plugin } from "./plugin.js";

/**
 * Limits how much each client may ask.
 *
 * Refused requests are answered with 429, and go no further; the others carry the fields
 * that tell what is left, be their answers errors. What a store or a function of yours
 * throws goes to the error handler. The client's address is found by `trustedHosts`;
 * Fastify's `trustProxy` is not looked at.
 *
 * Several rate limits on one way tell of themselves in one list, in drafts 8 and 11, by
 * their `name`s; in other forms the last one has the last word. One `RateLimiter` that a
 * request comes by twice counts it twice. Rather than several limits, give one several `policies`.
 *
 * The plugin is not encapsulated: it holds for all routes of the instance that it is
 * registered with, and of those below; also for those that were there before.
 *
 * @param limit Options of a rate limiter, of which each instance gets its own, closed with
 *   it, or a rate limiter that several share.
 *
 * @example A limit by user, for some routes
 * ```ts no-run
 * import { rateLimit } from "@sluice/http/fastify";
 * import Fastify from "fastify";
 *
 * const app = Fastify();
 * app.register(async (api) => {
 *   await api.register(rateLimit({ rate: "30/min", key: (request) => String(request.headers["x-user"]) }));
 *   api.post("/messages", () => "sent");
 * });
 * ```
 */
export function rateLimit(
  limit: RateLimiter<Mode, FastifyRequest> | RateLimiterOptions<Mode, FastifyRequest> = {},
): FastifyPluginCallback {
  return plugin(() => {
    const isShared = limit instanceof RateLimiter;
    const limiter = isShared ? limit : new RateLimiter<Mode, FastifyRequest>(limit);
    return {
      onRequest: limiter.mode === "sync" ? limitAtOnce(limiter) : limitLater(limiter),
      close: isShared ? undefined : async () => limiter.close(),
    };
  });
}

/** The hot path: nothing is made for a request but what the limiter makes. */
function limitAtOnce(limiter: RateLimiter<Mode, FastifyRequest>): onRequestHookHandler {
  return (request, reply, done) => {
    let verdict: Verdict;
    try {
      verdict = atOnce(limiter.check(request));
    } catch (error) {
      done(error as Error);
      return;
    }
    if (!verdict.allowed) {
      send(reply, verdict);
      return;
    }
    setFields(reply, verdict.fields);
    done();
  };
}

function limitLater(limiter: RateLimiter<Mode, FastifyRequest>): onRequestHookHandler {
  const judge = async (request: FastifyRequest): Promise<Verdict> => limiter.check(request);
  return (request, reply, done) => {
    judge(request).then((verdict) => {
      if (isOver(reply.raw)) return;
      if (!verdict.allowed) {
        send(reply, verdict);
        return;
      }
      setFields(reply, verdict.fields);
      done();
    }, done);
  };
}

/**
 * Limits each client (429), and bounds how many requests are at work and how many wait (503).
 *
 * A request holds its slot until its response is sent or its connection is gone, whichever
 * comes first; also one that is answered by an error. A handler that is still at work when
 * its client hangs up works without a slot from then on: stop on the `"close"` of `reply.raw`.
 *
 * The plugin is not encapsulated, as that of {@link rateLimit}.
 *
 * @param options Options of a gate, of which each instance gets its own, closed with it, or
 *   a gate that several share.
 *
 * @example
 * ```ts no-run
 * import { gate } from "@sluice/http/fastify";
 * import Fastify from "fastify";
 *
 * const app = Fastify();
 * await app.register(
 *   gate({
 *     rateLimit: { enabled: true, requestsPerSecond: 100, burst: 200 },
 *     queue: { enabled: true, maxConcurrent: 64, maxDepth: 1000, maxWait: 5000 },
 *   }),
 * );
 * ```
 */
export function gate(options: Gate<FastifyRequest> | GateOptions<FastifyRequest>): FastifyPluginCallback {
  return plugin(() => {
    const isShared = options instanceof Gate;
    const entrance = isShared ? options : new Gate<FastifyRequest>(options);
    const onRequest: onRequestHookHandler = (request, reply, done) => {
      const turn = turnOf(reply.raw);
      if (turn === undefined) pass(entrance, request, reply, done);
      else void turn.then(() => pass(entrance, request, reply, done));
    };
    return { onRequest, close: isShared ? undefined : () => entrance.close() };
  });
}

function pass(
  entrance: Gate<FastifyRequest>,
  request: FastifyRequest,
  reply: FastifyReply,
  done: (error?: Error) => void,
): void {
  const conclude = (passage: Passage) => {
    if (!passage.allowed) {
      send(reply, passage);
    } else if (isOver(reply.raw)) {
      passage.leave();
    } else {
      reply.raw.once("close", () => passage.leave());
      setFields(reply, passage.fields);
      done();
    }
  };
  // A client that hung up while it waited is let go without a word.
  const giveUp = (error: unknown) => {
    if (!isOver(reply.raw)) done(error as Error);
  };
  let passage: Passage | Promise<Passage>;
  try {
    passage = entrance.enter(request, new HangUp(reply.raw), reply.raw);
  } catch (error) {
    giveUp(error);
    return;
  }
  if (passage instanceof Promise) passage.then(conclude, giveUp);
  else conclude(passage);
}

function setFields(reply: FastifyReply, fields: readonly Field[]): void {
  for (const field of fields) reply.header(field[0], beside(reply.getHeader(field[0]), field));
}

function send(reply: FastifyReply, { status, fields, body }: Answer): void {
  setFields(reply, fields);
  // Bytes, for Fastify adds a charset to the type of a text.
  void reply.code(status).type(body.type).send(Buffer.from(body.text));
}
