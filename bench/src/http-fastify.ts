/**
 * What a limit takes on Fastify: `http-fastify.js FAMILY ROUNDS REQUESTS`,
 * with the family of addresses `IPv4`, `IPv4-mapped` or `IPv6`.
 *
 * Prints nanoseconds a request beyond the app without a limit as JSON.
 */
import theirs from "@fastify/rate-limit";
import { rateLimit } from "@sluice/http/fastify";
import fastify, { type FastifyInstance } from "fastify";
import { type MakeApp, measureApps } from "./http-app.js";
import { countByHand } from "./http-by-hand.js";

const LIMITS = {
  "by hand, two fields": appWith(byHand),
  sluice: appWith((app, limit) => app.register(rateLimit({ rate: `${limit}/min` }))),
  "@fastify/rate-limit": appWith((app, max) => app.register(theirs, { max, timeWindow: 60_000 })),
};

await measureApps(
  appWith(() => {}),
  LIMITS,
  process.argv.slice(2),
);

function appWith(add: (app: FastifyInstance, limit: number) => unknown): MakeApp {
  return async (limit) => {
    const app = fastify();
    await add(app, limit);
    app.get("/", (_, reply) => {
      reply.send("hello");
    });
    await app.ready();
    return (request, response) => app.routing(request, response);
  };
}

function byHand(app: FastifyInstance, limit: number): void {
  const count = countByHand(limit);
  app.addHook("onRequest", (request, reply, done) => {
    const left = count(request.socket.remoteAddress as string);
    reply.header("RateLimit-Limit", `${limit}`).header("RateLimit-Remaining", `${left}`);
    if (left >= 0) done();
    else reply.code(429).send("");
  });
}
