import { ManualClock, slidingWindowLog } from "@sluice/core";
import { Gate, RateLimiter, type RateLimiterOptions } from "@sluice/http";
import { gate, rateLimit } from "@sluice/http/express";
import { InMemoryBucket } from "@sluice/memory";
import express, { type NextFunction, type Request, type Response } from "express";
import express4 from "express-4";
import { describe, expect, expectTypeOf, test } from "vitest";
import { until } from "./support/clients.js";
import { listen } from "./support/listen.js";
import { describeServer, type Work } from "./support/server-suite.js";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

/** Answers an error with 500 and its message, as Express does, but without writing it to the console. */
function answerError(error: Error, _request: Request, response: Response, _next: NextFunction): void {
  response.status(500).send(error.message);
}

function answering(work: Work) {
  return (request: Request, response: Response, next: NextFunction) => {
    const run = async () => response.send(await work(request));
    run().catch(next);
  };
}

for (const [version, create] of [
  ["Express 5", express],
  ["Express 4", express4],
] as const) {
  describeServer(version, {
    rateLimit: (limiter, work) => create().use(rateLimit(limiter)).use(answering(work)).use(answerError),
    rateLimits: (limiters, work) => {
      const app = create();
      for (const limiter of limiters) app.use(rateLimit(limiter));
      return app.use(answering(work));
    },
    gate: (entrance, work, onError) => {
      const note = (error: Error, _request: Request, _response: Response, next: NextFunction) => {
        onError(error);
        next(error);
      };
      return create().use(gate(entrance)).use(answering(work)).use(note).use(answerError);
    },
    gateTwice: (entrance, work) => create().use(gate(entrance)).get("/", gate(entrance), answering(work)),
  });

  describe(`over ${version}`, () => {
    test("limits one route by what Express knows of the request", async () => {
      const perUser = rateLimit({ rate: "2/min", key: (request) => request.get("X-User") });
      const app = create();
      app.get("/users/:id", perUser, ({ params: { id } }, response) => void response.send(id));
      app.get("/", (_request, response) => void response.send("free"));
      await using server = await listen(app);
      const get = async (user: string) => {
        const response = await fetch(`${server.url}/users/7`, { headers: { "X-User": user } });
        return [response.status, await response.text()];
      };
      expect(await get("ada")).toEqual([200, "7"]);
      expect(await get("ada")).toEqual([200, "7"]);
      expect((await get("ada"))[0]).toBe(429);
      expect(await get("bob")).toEqual([200, "7"]);
      expect((await fetch(server.url)).headers.has("RateLimit")).toBe(false);
    });

    test("hands the errors of stores and functions to next()", async () => {
      const key = () => {
        throw new Error("There is no user.");
      };
      await using server = await listen(create().use(rateLimit({ key })).use(answerError));
      const response = await fetch(server.url);
      expect([response.status, await response.text()]).toEqual([500, "There is no user."]);
    });

    test("a refusal after another has begun to answer ends that answer, and is no error", async () => {
      const errors: unknown[] = [];
      const entrance = new Gate({ queue: { enabled: true, maxConcurrent: 1, maxWait: 0 } });
      await entrance.enter({ headers: {} });
      const app = create();
      app.use((_request, response, next) => {
        response.write("half an answer");
        next();
      });
      app.use(gate(entrance));
      app.use((error: Error, _request: Request, response: Response, _next: NextFunction) => {
        errors.push(error);
        response.end();
      });
      await using server = await listen(app);
      expect(await (await fetch(server.url)).text()).toBe("half an answer");
      expect(errors).toEqual([]);
    });

    test("a streamed answer holds its slot until its end", async () => {
      const entrance = new Gate({ queue: { enabled: true, maxConcurrent: 1 } });
      let finish = () => {};
      const app = create().use(gate(entrance));
      app.use((_request, response) => {
        response.write("first half, ");
        finish = () => void response.end("second half");
      });
      await using server = await listen(app);
      const response = await fetch(server.url);
      expect(entrance.queue?.active).toBe(1);
      finish();
      expect(await response.text()).toBe("first half, second half");
      await until(() => entrance.queue?.active === 0);
    });
  });
}

describe("what express-rate-limit tells its clients, over the adapter for Express", () => {
  /** The fields of so many answers, on a clock that stands. */
  async function fieldsOf(options: RateLimiterOptions, requests = 1) {
    using limiter = new RateLimiter({ clock: new ManualClock(NOW), ...options });
    const app = express().use(rateLimit(limiter));
    app.get("/", (_request, response) => void response.send("Hi there!"));
    await using server = await listen(app);
    let last = await fetch(server.url);
    for (let request = 1; request < requests; request++) last = await fetch(server.url);
    return { status: last.status, fields: last.headers, names: limitNames(last.headers) };
  }

  /** The names of the fields that tell of limits. */
  function limitNames(headers: Headers): string[] {
    return [...headers.keys()].filter((name) => /rate-?limit|retry/.test(name));
  }

  /** So many requests in a window, counted as express-rate-limit does: all of them again when it is over. */
  function inWindow(limit: number, seconds: number): RateLimiterOptions {
    const clock = new ManualClock(NOW);
    return { limiter: new InMemoryBucket(`${limit}/${seconds}s`, { algorithm: slidingWindowLog, clock }) };
  }

  test("legacy: X-RateLimit-Limit, -Remaining, and -Reset in seconds since 1970", async () => {
    const { status, fields, names } = await fieldsOf({ ...inWindow(5, 60), fields: "legacy" });
    expect(status).toBe(200);
    expect(names).toEqual(["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]);
    expect(fields.get("X-RateLimit-Limit")).toBe("5");
    expect(fields.get("X-RateLimit-Remaining")).toBe("4");
    expect(fields.get("X-RateLimit-Reset")).toBe(String(NOW / 1000 + 60));
  });

  test("draft 6: a field for each number", async () => {
    const { fields, names } = await fieldsOf({ ...inWindow(5, 60), fields: "draft-6" });
    expect(names).toEqual(["ratelimit-limit", "ratelimit-policy", "ratelimit-remaining", "ratelimit-reset"]);
    expect(fields.get("RateLimit-Policy")).toBe("5;w=60");
    expect(fields.get("RateLimit-Limit")).toBe("5");
    expect(fields.get("RateLimit-Remaining")).toBe("4");
    expect(fields.get("RateLimit-Reset")).toBe("60");
  });

  test("draft 7: one field for all numbers", async () => {
    const { fields, names } = await fieldsOf({ ...inWindow(5, 60), fields: "draft-7" });
    expect(names).toEqual(["ratelimit", "ratelimit-policy"]);
    expect(fields.get("RateLimit-Policy")).toBe("5;w=60");
    expect(fields.get("RateLimit")).toBe("limit=5, remaining=4, reset=60");
  });

  test("draft 8: policies by name, without the partition key, which gives the address away", async () => {
    const { fields, names } = await fieldsOf({ ...inWindow(5, 7200), name: "keep-kalm", fields: "draft-8" });
    expect(names).toEqual(["ratelimit", "ratelimit-policy"]);
    expect(fields.get("RateLimit-Policy")).toBe('"keep-kalm"; q=5; w=7200');
    expect(fields.get("RateLimit")).toBe('"keep-kalm"; r=4; t=7200');
  });

  test("draft 8: several policies in one list", async () => {
    const policies = [
      { name: "1-in-5sec", ...inWindow(1, 5) },
      { name: "5-in-1min", ...inWindow(5, 60) },
      { name: "6-in-1hr", ...inWindow(6, 3600) },
    ];
    const { fields } = await fieldsOf({ policies, fields: "draft-8" });
    expect(fields.get("RateLimit-Policy")).toBe(
      '"1-in-5sec"; q=1; w=5, "5-in-1min"; q=5; w=60, "6-in-1hr"; q=6; w=3600',
    );
    expect(fields.get("RateLimit")).toBe('"1-in-5sec"; r=0; t=5, "5-in-1min"; r=4; t=60, "6-in-1hr"; r=5; t=3600');
  });

  test("Retry-After once the limit is reached, in whole seconds", async () => {
    for (const fields of ["legacy", "draft-6", "draft-7", "draft-8", "draft-11"] as const) {
      const refused = await fieldsOf({ ...inWindow(1, 60), fields }, 2);
      expect(refused.status).toBe(429);
      expect(refused.fields.get("Retry-After")).toBe("60");
    }
  });

  test("legacy and draft 6 side by side", async () => {
    const { names } = await fieldsOf({ ...inWindow(5, 60), fields: ["legacy", "draft-6"] });
    expect(names).toHaveLength(7);
  });

  test("no fields that tell of limits where there shall be none", async () => {
    const { names } = await fieldsOf({ ...inWindow(5, 60), fields: false });
    expect(names).toEqual([]);
  });

  test("sets no field where the head is sent already", async () => {
    const app = express();
    app.use((_request, response, next) => {
      response.flushHeaders();
      next();
    });
    app.use(rateLimit({}));
    app.get("/", (_request, response) => void response.end("Hi there!"));
    await using server = await listen(app);
    const response = await fetch(server.url);
    expect(await response.text()).toBe("Hi there!");
    expect(limitNames(response.headers)).toEqual([]);
  });
});

describe("types of the adapter for Express", () => {
  test("functions are given the request of Express", () => {
    rateLimit({
      key: (request) => {
        expectTypeOf(request).toEqualTypeOf<Request>();
        return request.ip;
      },
    });
    gate({
      priority: (request) => {
        expectTypeOf(request).toEqualTypeOf<Request>();
        return 0;
      },
    });
    expectTypeOf(rateLimit()).toExtend<express.RequestHandler>();
    expectTypeOf(gate({})).toExtend<express.RequestHandler>();
  });
});
