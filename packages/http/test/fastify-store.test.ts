import rateLimit, { type FastifyRateLimitOptions } from "@fastify/rate-limit";
import { fastifyStore, type OpenBucket } from "@sluice/http/fastify-store";
import { InMemoryBucket } from "@sluice/memory";
import Fastify from "fastify";
import { describe, expect, test } from "vitest";
import { statuses } from "./support/ask.js";
import { stores } from "./support/opened.js";

const MINUTE = 60_000;
const inMemory: OpenBucket = (rates, options) => new InMemoryBucket(rates, options);

/** A Fastify server behind the plugin; `/own` has a limit of its own. */
async function serve(open: OpenBucket, options: object = {}, own: object = { max: 1, timeWindow: 2 * MINUTE }) {
  const store = fastifyStore(open);
  const app = Fastify({ forceCloseConnections: true });
  await app.register(rateLimit, { max: 3, timeWindow: MINUTE, store, ...(options as FastifyRateLimitOptions) });
  app.addHook("onClose", () => store.close());
  app.get("/", () => "hello");
  app.get("/own", { config: { rateLimit: own } }, () => "own");
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  return { app, url, [Symbol.asyncDispose]: () => app.close() };
}

describe.each(stores())("fastifyStore over %s", (_name, open, clock) => {
  test("lets the plugin refuse beyond its limit, with fields that are true", async () => {
    await using server = await serve(open);
    const first = await fetch(server.url);
    expect(first.headers.get("x-ratelimit-remaining")).toBe("2");
    expect(first.headers.get("x-ratelimit-reset")).toBe("60");
    expect(await statuses(server.url, 2)).toEqual([200, 200]);
    clock.advance(MINUTE / 2);
    const refused = await fetch(server.url);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("30");
    clock.advance(MINUTE / 2);
    expect(await statuses(server.url, 4)).toEqual([200, 200, 200, 429]);
  });

  test("counts routes with a limit of their own by themselves", async () => {
    await using server = await serve(open);
    expect(await statuses(`${server.url}/own`, 2)).toEqual([200, 429]);
    expect(await statuses(server.url, 3)).toEqual([200, 200, 200]);
    clock.advance(MINUTE);
    expect(await statuses(`${server.url}/own`, 1)).toEqual([429]);
    clock.advance(MINUTE);
    expect(await statuses(`${server.url}/own`, 1)).toEqual([200]);
  });

  test("shuts out for another window whoever goes on beyond the limit", async () => {
    await using server = await serve(open, { continueExceeding: true });
    expect(await statuses(server.url, 4)).toEqual([200, 200, 200, 429]);
    clock.advance(MINUTE - 1);
    const again = await fetch(server.url);
    expect(again.status).toBe(429);
    expect(again.headers.get("retry-after")).toBe("60");
    clock.advance(MINUTE - 1);
    expect(await statuses(server.url, 1)).toEqual([429]);
    clock.advance(MINUTE);
    expect(await statuses(server.url, 1)).toEqual([200]);
  });

  test("a flood gets what the limit says, and no more", async () => {
    await using server = await serve(open, { continueExceeding: true });
    const answers = await Promise.all(Array.from({ length: 100 }, () => fetch(server.url)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
    clock.advance(MINUTE);
    expect(await statuses(server.url, 1)).toEqual([200]);
  });
});

describe("@fastify/rate-limit over a store of fastifyStore", () => {
  test("bans who hits on, and looks without counting", async () => {
    await using server = await serve(inMemory, { max: 1, ban: 1 });
    expect(await statuses(server.url, 4)).toEqual([200, 429, 403, 403]);
    const app = Fastify({ forceCloseConnections: true });
    await app.register(rateLimit, { global: false, max: 2, timeWindow: MINUTE, store: fastifyStore(inMemory) });
    const look = app.createRateLimit({});
    app.get("/", (request) => look(request, { increment: false }));
    app.get("/hit", (request) => look(request));
    await using _closing = { [Symbol.asyncDispose]: () => app.close() };
    const url = await app.listen({ port: 0, host: "127.0.0.1" });
    const remaining = async (path: string) =>
      ((await (await fetch(url + path)).json()) as { remaining: number }).remaining;
    expect(await remaining("/")).toBe(2);
    expect(await remaining("/hit")).toBe(1);
    expect(await remaining("/")).toBe(1);
    expect(await remaining("/")).toBe(1);
  });

  test("hears of a store that fails, and serves on where it is told to", async () => {
    let isAway = true;
    const broken: OpenBucket = async (rates, options) => {
      if (isAway) throw new Error("away");
      return new InMemoryBucket(rates, options);
    };
    await using open = await serve(broken, { skipOnError: true, max: 1 });
    expect(await statuses(open.url, 2)).toEqual([200, 200]);
    await using strict = await serve(broken, { max: 1 });
    expect(await statuses(strict.url, 1)).toEqual([500]);
    isAway = false;
    expect(await statuses(strict.url, 2)).toEqual([200, 429]);
    await using wrong = await serve(() => new InMemoryBucket("100/min"));
    const answer = await fetch(wrong.url);
    expect(answer.status).toBe(500);
    expect(await answer.text()).toMatch(/asked for fixed-window of 1000000000\/1m/);
  });

  test("refuses pauses that grow, which a bucket cannot keep", async () => {
    await expect(serve(inMemory, { exponentialBackoff: true })).rejects.toThrow(/Use continueExceeding or ban/);
    expect(() => fastifyStore("100/min" as never)).toThrow(TypeError);
  });
});
