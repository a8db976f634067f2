/**
 * What a limit takes on Hono, over the fetch standard: `http-hono.js ROUNDS REQUESTS`.
 *
 * A request goes all the way through the app, again and again, from all clients in turn.
 * Prints nanoseconds a request beyond the app without a limit as JSON.
 */
import { rateLimit } from "@sluice/http/hono";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { rateLimiter } from "hono-rate-limiter";
import { expectSame } from "./check.js";
import { answerBeyond } from "./http-app.js";
import { countByHand } from "./http-by-hand.js";
import { ADDRESSES } from "./http-exchange.js";
import { nsEach } from "./turns.js";

const ENOUGH = 60_000_000;
const CLIENTS = 1000;

const [rounds = "41", requests = "100"] = process.argv.slice(2);
const clients = Array.from({ length: CLIENTS }, (_, client) => ({ address: ADDRESSES.IPv4(client) }));
const request = new Request("http://localhost/");
const address = (context: Context) => context.env.address as string;

/** Each lets a client ask `limit` times a minute. */
const LIMITS: Readonly<Record<string, (limit: number) => MiddlewareHandler>> = {
  "by hand, two fields": byHand,
  sluice: (limit) => rateLimit({ rate: `${limit}/min` }, { address }),
  "hono-rate-limiter, draft-6": (limit) => rateLimiter({ windowMs: 60_000, limit, keyGenerator: address }),
  "hono-rate-limiter, draft-7": (limit) =>
    rateLimiter({ windowMs: 60_000, limit, keyGenerator: address, standardHeaders: "draft-7" }),
};

const slices = { bare: slice("bare", appWith()) };
for (const [name, limit] of Object.entries(LIMITS)) {
  await checkRefusal(name, appWith(limit(2)));
  Object.assign(slices, { [name]: slice(name, appWith(limit(ENOUGH))) });
}
await answerBeyond(`${rounds} rounds of ${requests} requests`, slices, Number(rounds));

function appWith(limit?: MiddlewareHandler): Hono {
  const app = new Hono();
  if (limit !== undefined) app.use(limit);
  return app.get("/", (context) => context.text("hello"));
}

function byHand(limit: number): MiddlewareHandler {
  const count = countByHand(limit);
  return async (context, next) => {
    const left = count(address(context));
    context.header("RateLimit-Limit", `${limit}`);
    context.header("RateLimit-Remaining", `${left}`);
    if (left < 0) return context.body(null, 429);
    await next();
    return undefined;
  };
}

function slice(name: string, app: Hono) {
  let next = 0;
  return async () => {
    const count = Number(requests);
    let served = 0;
    const start = process.hrtime.bigint();
    for (let i = 0; i < count; i++) {
      const { status } = await app.fetch(request, clients[next++ % CLIENTS]);
      if (status === 200) served++;
    }
    const ns = nsEach(start, count);
    expectSame(`${name} served`, served, count);
    return ns;
  };
}

/** Of three requests of one client, all are told what is left, and the third is refused. */
async function checkRefusal(name: string, app: Hono): Promise<void> {
  const answers: unknown[] = [];
  for (let i = 0; i < 3; i++) {
    const { status, headers } = await app.fetch(request, clients[0]);
    answers.push(status, headers.has("ratelimit") || headers.has("ratelimit-remaining"));
  }
  expectSame(`${name} answered`, answers, [200, true, 200, true, 429, true]);
}
