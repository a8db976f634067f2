import { Gate, politeFetch, RateLimiter, RequestQueue } from "@sluice/http";
import { describe, expect, test } from "vitest";

const NONE = [null, 100, "100/min", [{ rate: 1 }], true];

/** What is made of options, which JavaScript may call whatever it likes. */
const makers: Readonly<Record<string, (options: unknown) => unknown>> = {
  RateLimiter: (options) => new RateLimiter(options as object),
  policy: (policy) => new RateLimiter({ policies: [policy as never] }),
  plan: (paid) => new RateLimiter({ plan: () => "paid", plans: { paid: paid as object } }),
  RequestQueue: (options) => new RequestQueue(options as never),
  Gate: (options) => new Gate(options as object),
  rateLimit: (rateLimit) => new Gate({ rateLimit: rateLimit as object }),
  queue: (queue) => new Gate({ queue: queue as never }),
  politeFetch: (options) => politeFetch(undefined, options as object),
  backoff: (backoff) => politeFetch(undefined, { backoff: backoff as object }),
  limiter: (limiter) => politeFetch(limiter as never),
};

function make(what: string, options: unknown): () => unknown {
  return () => (makers[what] as (options: unknown) => unknown)(options);
}

describe("options", () => {
  test.each(Object.keys(makers))("of a %s are an object", (what) => {
    for (const options of NONE) {
      expect(make(what, options), JSON.stringify(options)).toThrow(TypeError);
      expect(make(what, options)).toThrow(/^Cannot .*: .*\. |^Cannot .* as in \{/);
    }
  });

  test.each([
    [
      "RateLimiter",
      { requestsPerSecond: 5 },
      "a RateLimiter with requestsPerSecond: there is no such option. Write rate.",
    ],
    ["RateLimiter", { limit: 5 }, "with limit: there is no such option. Write rate,"],
    ["RateLimiter", { maxtracked: 5 }, "Write maxTracked."],
    ["RateLimiter", { trustProxy: true }, "Write trustedHosts,"],
    [
      "RateLimiter",
      { constructor: 1 },
      "with constructor: there is no such option. The options are name, rate, burst,",
    ],
    ["policy", { name: "daily", limit: 5 }, "a policy with limit: there is no such option. Write rate,"],
    ["plan", { limit: 5 }, 'the plan "paid" with limit: there is no such option. Write rate,'],
    [
      "RequestQueue",
      { concurrency: 4 },
      "a RequestQueue with concurrency: there is no such option. Write maxConcurrent.",
    ],
    ["RequestQueue", { maxConcurrent: 1, maxdepth: 5 }, "Write maxDepth."],
    ["Gate", { ratelimit: { enabled: true } }, "a Gate with ratelimit: there is no such option. Write rateLimit."],
    ["Gate", { enabled: true, requestsPerSecond: 5 }, "Write rateLimit: { enabled: true, requestsPerSecond: 100 }."],
    ["Gate", new RateLimiter(), "Name it, as in { rateLimit: it }."],
    ["Gate", new RequestQueue({ maxConcurrent: 1 }), "Name it, as in { queue: it }."],
    [
      "rateLimit",
      { enabled: true, rate: 5 },
      "the rateLimit of a Gate with rate: there is no such option. Write requestsPerSecond",
    ],
    ["rateLimit", { enabled: false, limit: 5 }, "Write requestsPerSecond."],
    ["rateLimit", new RequestQueue({ maxConcurrent: 1 }), "the rateLimit of a Gate with maxConcurrent"],
    [
      "queue",
      { concurrency: 5 },
      "the queue of a Gate with concurrency: there is no such option. Write maxConcurrent.",
    ],
    ["queue", new RateLimiter(), "the queue of a Gate with mode"],
    ["politeFetch", { timeout: 5 }, "a polite fetch with timeout: there is no such option. Write deadline."],
    ["backoff", { max: 5 }, "a backoff with max: there is no such option. The options are base, cap."],
    ["limiter", { retries: 5 }, "as in politeFetch(undefined, { retries: 5 })"],
  ])("of a %s are known by name: %o", (what, options, message) => {
    expect(make(what, options)).toThrow(TypeError);
    expect(make(what, options)).toThrow(message);
  });

  test.each([
    ["RateLimiter", { shadow: "false" }, 'Cannot use "false" as shadow of "default": it is true or false.'],
    ["RequestQueue", { maxConcurrent: 1, maxDepth: 0, warn: true }, "Cannot use true as warn: it is a function."],
    ["politeFetch", { statuses: "503" }, 'Cannot use "503" as statuses: it is a list of numbers. Write [503].'],
    ["politeFetch", { statuses: ["503"] }, 'Cannot use "503" as one of statuses'],
    ["politeFetch", { weight: "3" }, 'Cannot use "3" as weight'],
    ["politeFetch", { key: "host" }, 'Cannot use "host" as key: it is a function.'],
    ["politeFetch", { idempotent: true }, "Cannot use true as idempotent: it is a function."],
    ["politeFetch", { fetch: 1 }, "Cannot use 1 as fetch: it is a function."],
    ["politeFetch", { random: 5 }, "Cannot use 5 as random: it is a function."],
  ])("of a %s are of the right type: %o", (what, options, message) => {
    expect(make(what, options)).toThrow(TypeError);
    expect(make(what, options)).toThrow(message);
  });

  test("that are left out, or off, are none", () => {
    for (const what of ["RateLimiter", "Gate", "rateLimit", "queue", "politeFetch", "backoff", "limiter"]) {
      expect(make(what, undefined)).not.toThrow();
    }
    expect(new Gate({ rateLimit: { requestsPerSecond: 5 }, queue: { maxConcurrent: 1 } })).toMatchObject({
      rateLimit: undefined,
      queue: undefined,
    });
  });
});
