/**
 * What a limit takes on Fastify: `http-fastify.js FAMILY ROUNDS REQUESTS`,
 * with the family of addresses `IPv4`, `IPv4-mapped` or `IPv6`.
 *
 * Real requests and responses, made beforehand, go all the way through the app, one after
 * the other. Prints nanoseconds a request beyond the app without a limit as JSON.
 */
import theirs from "@fastify/rate-limit";
import { rateLimit } from "@sluice/http/fastify";
import fastify, { type FastifyInstance } from "fastify";
import { countByHand } from "./http-by-hand.js";
import { ADDRESSES, type Exchange, exchanges } from "./http-exchange.js";
import { beyond, expectSame, nsEach, takeRounds } from "./http-turns.js";
import { summarise } from "./statistics.js";

const ENOUGH = 60_000_000;
const CLIENTS = 1000;

const [family = "IPv4", rounds = "41", requests = "200"] = process.argv.slice(2);
const make = exchanges(CLIENTS, ADDRESSES[family as keyof typeof ADDRESSES]);

/** Each lets a client ask `limit` times a minute. */
const LIMITS: Readonly<Record<string, (app: FastifyInstance, limit: number) => unknown>> = {
  "by hand, two fields": byHand,
  sluice: (app, limit) => app.register(rateLimit({ rate: `${limit}/min` })),
  "@fastify/rate-limit": (app, max) => app.register(theirs, { max, timeWindow: 60_000 }),
};

const slices = { bare: slice("bare", await appWith(() => {})) };
for (const [name, limited] of Object.entries(LIMITS)) {
  await checkRefusal(name, await appWith((app) => limited(app, 2)));
  Object.assign(slices, { [name]: slice(name, await appWith((app) => limited(app, ENOUGH))) });
}
const measured = await takeRounds(slices, Number(rounds));
process.stdout.write(JSON.stringify(summarise(beyond("bare", measured))));
process.exit(0);

async function appWith(limit: (app: FastifyInstance) => unknown): Promise<FastifyInstance> {
  const app = fastify();
  await limit(app);
  app.get("/", (_, reply) => {
    reply.send("hello");
  });
  await app.ready();
  return app;
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

function ask(app: FastifyInstance, { request, response }: Exchange): Promise<void> {
  return new Promise((resolve) => {
    response.onEnd = resolve;
    app.routing(request, response);
  });
}

function slice(name: string, app: FastifyInstance) {
  return async () => {
    const line = make(Number(requests));
    const start = process.hrtime.bigint();
    for (const exchange of line) await ask(app, exchange);
    const ns = nsEach(start, line.length);
    const served = line.filter(({ response }) => response.statusCode === 200);
    expectSame(`${name} served`, served.length, line.length);
    return ns;
  };
}

/** Of three requests of one client, all are told what is left, and the third is refused. */
async function checkRefusal(name: string, app: FastifyInstance): Promise<void> {
  const answers: unknown[] = [];
  for (let i = 0; i < 3; i++) {
    const { statusCode, headers } = await app.inject("/");
    answers.push(
      statusCode,
      Object.keys(headers).some((field) => /ratelimit/.test(field)),
    );
  }
  expectSame(`${name} answered`, answers, [200, true, 200, true, 429, true]);
}
