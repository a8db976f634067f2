/**
 * What a limit takes over the fetch standard: `http-fetch.js FRAMEWORK ROUNDS REQUESTS`,
 * with the framework `hono`, or `fetch` for a handler without any.
 *
 * A request goes all the way through the app, again and again, from all clients in turn.
 * Prints nanoseconds a request beyond the app without a limit as JSON.
 */
import * as fetching from "@sluice/http/fetch";
import * as hono from "@sluice/http/hono";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { rateLimiter } from "hono-rate-limiter";
import { expectSame } from "./check.js";
import { answerBeyond } from "./http-app.js";
import { countByHand } from "./http-by-hand.js";
import { ADDRESSES, CLIENTS, ENOUGH } from "./http-exchange.js";
import { nsEach } from "./turns.js";

/** What comes beside a request. */
interface Client {
  readonly address: string;
}

/** Answers a request of a client. */
type App = (request: Request, client: Client) => Response | Promise<Response>;

/** Makes an app each of whose clients may ask `limit` times a minute. */
type MakeApp = (limit: number) => App;

const [framework = "hono", rounds = "41", requests = "100"] = process.argv.slice(2);
const clients = Array.from({ length: CLIENTS }, (_, client): Client => ({ address: ADDRESSES.IPv4(client) }));
const request = new Request("http://localhost/");
const address = (context: Context) => context.env.address as string;
const greet: App = () => new Response("hello");

const HONO: Readonly<Record<string, MakeApp>> = {
  bare: () => honoWith(),
  "by hand, two fields": (limit) => honoWith(honoByHand(limit)),
  sluice: (limit) => honoWith(hono.rateLimit({ rate: `${limit}/min` }, { address })),
  "hono-rate-limiter, draft-6": (limit) => honoWith(rateLimiter({ windowMs: 60_000, limit, keyGenerator: address })),
  "hono-rate-limiter, draft-7": (limit) =>
    honoWith(rateLimiter({ windowMs: 60_000, limit, keyGenerator: address, standardHeaders: "draft-7" })),
};
const FETCH: Readonly<Record<string, MakeApp>> = {
  bare: () => greet,
  "by hand, two fields": fetchByHand,
  sluice: (limit) =>
    fetching.rateLimit<[Client]>({ rate: `${limit}/min` }, greet, { address: (_, client) => client.address }),
};
const FRAMEWORKS: Readonly<Record<string, Readonly<Record<string, MakeApp>>>> = { hono: HONO, fetch: FETCH };

const slices: Record<string, () => Promise<number>> = {};
for (const [name, makeApp] of Object.entries(FRAMEWORKS[framework] ?? {})) {
  if (name !== "bare") await checkRefusal(name, makeApp(2));
  slices[name] = slice(name, makeApp(ENOUGH));
}
await answerBeyond(`${rounds} rounds of ${requests} requests`, slices, Number(rounds));

function honoWith(limit?: MiddlewareHandler): App {
  const app = new Hono();
  if (limit !== undefined) app.use(limit);
  app.get("/", (context) => context.text("hello"));
  return app.fetch;
}

function honoByHand(limit: number): MiddlewareHandler {
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

function fetchByHand(limit: number): App {
  const count = countByHand(limit);
  return async (asked, client) => {
    const left = count(client.address);
    const response = left < 0 ? new Response(null, { status: 429 }) : await greet(asked, client);
    response.headers.set("RateLimit-Limit", `${limit}`);
    response.headers.set("RateLimit-Remaining", `${left}`);
    return response;
  };
}

function slice(name: string, app: App) {
  let next = 0;
  return async () => {
    const count = Number(requests);
    let served = 0;
    const start = process.hrtime.bigint();
    for (let i = 0; i < count; i++) {
      const { status } = await app(request, clients[next++ % CLIENTS] as Client);
      if (status === 200) served++;
    }
    const ns = nsEach(start, count);
    expectSame(`${name} served`, served, count);
    return ns;
  };
}

/** Of three requests of one client, all are told what is left, and the third is refused. */
async function checkRefusal(name: string, app: App): Promise<void> {
  const answers: unknown[] = [];
  for (let i = 0; i < 3; i++) {
    const { status, headers } = await app(request, clients[0] as Client);
    answers.push(status, headers.has("ratelimit") || headers.has("ratelimit-remaining"));
  }
  expectSame(`${name} answered`, answers, [200, true, 200, true, 429, true]);
}
