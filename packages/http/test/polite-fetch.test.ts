import { getEventListeners } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Limiter, ManualClock, RateLimitExceededError } from "@sluice/core";
import { FetchDeadlineError, type PoliteFetchOptions, politeFetch, RateLimiter } from "@sluice/http";
import { InMemoryBucket } from "@sluice/memory";
import { afterEach, describe, expect, test } from "vitest";

type Handler = (response: ServerResponse, body: string, request: IncomingMessage) => void;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A server that answers by one handler after another, the last of them for ever, and notes what came. */
async function serve(...handlers: Handler[]) {
  const came: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("latin1");
    request.on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      came.push(body);
      const handler = handlers[Math.min(came.length, handlers.length) - 1] as Handler;
      handler(response, body, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { came, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

/** Answers with a status, fields, and the status as the body. */
function answer(status: number, fields: Record<string, string> = {}): Handler {
  return (response) => void response.writeHead(status, fields).end(`${status}`);
}

/** A polite fetch on a clock of its own, that waits half of what the jitter may come to, and has no deadline. */
function open(options: PoliteFetchOptions = {}, rate?: string) {
  const clock = new ManualClock(1_000_000);
  const limiter = rate === undefined ? undefined : new Limiter(new InMemoryBucket(rate, { clock }));
  const fetch = politeFetch(limiter, { clock, random: () => 0.5, deadline: Number.POSITIVE_INFINITY, ...options });
  /** Lets the calls go on until they wait for the clock. */
  const waiting = async (timers = 1) => {
    while (clock.pending < timers) await settle();
  };
  /** Moves the clock on when somebody waits for it, a microsecond short of `ms` first. */
  const pass = async (ms: number, isEarly: () => void) => {
    await waiting();
    clock.advance(ms - 0.001);
    for (let turn = 0; turn < 5; turn++) await settle();
    isEarly();
    clock.advance(0.001);
  };
  return { clock, fetch, waiting, pass };
}

const ERROR = new Error("enough");

describe("politeFetch()", () => {
  test("repeats a request to a server that is away for a moment, after waits that double", async () => {
    const { came, url } = await serve(answer(503), answer(502), answer(200));
    const { fetch, pass } = open();
    const response = fetch(url);
    await pass(125, () => expect(came).toHaveLength(1));
    await pass(250, () => expect(came).toHaveLength(2));
    expect(await (await response).text()).toBe("200");
    expect(came).toHaveLength(3);
  });

  test("gives back the last answer after so many retries, and what is no failure at once", async () => {
    const { came, url } = await serve(answer(503));
    const { fetch, pass } = open({ retries: 1 });
    const response = fetch(url);
    await pass(125, () => expect(came).toHaveLength(1));
    expect(await (await response).text()).toBe("503");
    expect(came).toHaveLength(2);
    for (const status of [200, 301, 404, 500]) {
      const other = await serve(answer(status));
      expect((await fetch(other.url, { redirect: "manual" })).status).toBe(status);
      expect(other.came).toHaveLength(1);
    }
  });

  test("repeats after the statuses that it is told", async () => {
    const { came, url } = await serve(answer(500), answer(503));
    const { fetch, pass } = open({ statuses: [500] });
    const response = fetch(url);
    await pass(125, () => expect(came).toHaveLength(1));
    expect((await response).status).toBe(503);
  });

  test("waits for as long as Retry-After asks, and the jitter on top", async () => {
    const { came, url } = await serve(answer(429, { "retry-after": "2" }), answer(200));
    const { fetch, pass } = open();
    const response = fetch(url);
    await pass(2125, () => expect(came).toHaveLength(1));
    expect((await response).status).toBe(200);
  });

  test("reads a Retry-After that is a date against the server's own clock", async () => {
    const date = "Wed, 21 Oct 2015 07:28:00 GMT";
    const fields = { date, "retry-after": "Wed, 21 Oct 2015 07:28:10 GMT" };
    const { came, url } = await serve(answer(503, fields), answer(200));
    const { fetch, pass } = open();
    const response = fetch(url);
    await pass(10_125, () => expect(came).toHaveLength(1));
    expect((await response).status).toBe(200);
  });

  test("other calls of the key wait as well until the server's time is over, and no other key does", async () => {
    const { came, url } = await serve(answer(429, { "retry-after": "5" }), answer(200));
    const elsewhere = await serve(answer(200));
    const { fetch, pass, waiting } = open({ retries: 0 });
    expect((await fetch(url)).status).toBe(429);
    const calls = [fetch(url), fetch(url)];
    await waiting(2);
    expect((await fetch(elsewhere.url)).status).toBe(200);
    await pass(5000, () => expect(came).toHaveLength(1));
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200]);
  });

  test("waits for the reset where RateLimit says that nothing remains, be the answer a success", async () => {
    const { came, url } = await serve(answer(200, { ratelimit: '"default";r=0;t=30' }), answer(200));
    const { fetch, pass } = open();
    await fetch(url);
    const second = fetch(url);
    await pass(30_000, () => expect(came).toHaveLength(1));
    expect((await second).status).toBe(200);
  });

  test("after a success that says so it waits for one unit at most, where the pace is told", async () => {
    const spent = { "ratelimit-policy": '"default";q=1000;w=86400', ratelimit: '"default";r=0;t=86400' };
    const { came, url } = await serve(answer(200, spent), answer(429, spent), answer(200));
    const { fetch, pass } = open();
    await fetch(url);
    const second = fetch(url);
    await pass(86_400, () => expect(came).toHaveLength(1));
    await pass(86_400_125, () => expect(came).toHaveLength(2));
    expect((await second).status).toBe(200);
  });

  test("keeps up with a rate limiter of several rates, whichever of them is used up", async () => {
    const serverClock = new ManualClock();
    const limiter = new RateLimiter({ rate: ["2/s", "1000/day"], clock: serverClock });
    const { clock, fetch, waiting } = open({
      fetch: async () => {
        const verdict = limiter.check({ headers: {}, socket: { remoteAddress: "203.0.113.7" } });
        return new Response(null, { status: verdict.status ?? 200, headers: verdict.fields as [string, string][] });
      },
    });
    for (const waits of [false, false, true, true]) {
      const response = fetch("http://api.test/");
      if (waits) {
        await waiting();
        clock.advance(500);
        serverClock.advance(500);
      }
      expect((await response).status).toBe(200);
    }
    expect(limiter.metrics).toMatchObject({ admitted: 4, refused: 0 });
  });

  test("takes Retry-After in a success for no wish for quiet", async () => {
    const { came, url } = await serve(answer(202, { "retry-after": "60" }));
    const { fetch } = open();
    await fetch(url);
    await fetch(url);
    expect(came).toHaveLength(2);
  });

  test("a call that got its units is held back by what another was told meanwhile", async () => {
    const sent: number[] = [];
    let answerFirst: (response: Response) => void = () => {};
    const { fetch, clock, waiting } = open(
      {
        retries: 0,
        fetch: (): Promise<Response> => {
          sent.push(clock.now() - 1_000_000);
          if (sent.length > 1) return Promise.resolve(new Response());
          return new Promise((resolve) => {
            answerFirst = resolve;
          });
        },
      },
      "1/s",
    );
    const calls = [fetch("http://api.test/1"), fetch("http://api.test/2")];
    await waiting();
    clock.advance(500);
    answerFirst(new Response(null, { status: 429, headers: { "retry-after": "10" } }));
    await settle();
    clock.advance(500);
    await waiting();
    clock.advance(9500);
    await Promise.all(calls);
    expect(sent).toEqual([0, 10_500]);
  });

  test("waits for its units, under the key of the host", async () => {
    const { came, url } = await serve(answer(200));
    const elsewhere = await serve(answer(200));
    const { fetch, pass } = open({}, "1/s");
    await fetch(url);
    await fetch(elsewhere.url);
    const second = fetch(url);
    await pass(1000, () => expect(came).toHaveLength(1));
    expect((await second).status).toBe(200);
  });

  test("takes the key and the weight that it is told, for repetitions too", async () => {
    const { came, url } = await serve(answer(503), answer(200));
    const seen: string[] = [];
    const key: PoliteFetchOptions["key"] = ({ url, method, headers }) => {
      seen.push(`${method} ${url.pathname} ${headers.get("x-team")}`);
      return "team";
    };
    const { fetch, waiting, clock } = open({ key, weight: ({ method }) => (method === "PUT" ? 2 : 1) }, "2/s");
    const response = fetch(`${url}a`, { method: "put", headers: { "x-team": "red" }, body: "x" });
    await waiting();
    clock.advance(125);
    await waiting();
    expect(came).toHaveLength(1);
    clock.advance(875);
    expect((await response).status).toBe(200);
    expect(seen).toEqual(["PUT /a red"]);
  });

  test("repeats only what may be repeated", async () => {
    for (const [method, headers] of [
      ["POST", {}],
      ["PATCH", {}],
    ] as const) {
      const { came, url } = await serve(answer(503), answer(200));
      expect((await open().fetch(url, { method, headers, body: "x" })).status).toBe(503);
      expect(came).toHaveLength(1);
    }
    const allowed: [RequestInit, PoliteFetchOptions][] = [
      [{ method: "POST", body: "x", headers: { "Idempotency-Key": '"1"' } }, {}],
      [{ method: "POST", body: "x" }, { idempotent: ({ url }) => url.pathname === "/" }],
      [{ method: "delete" }, {}],
      [{ method: "HEAD" }, {}],
    ];
    for (const [init, options] of allowed) {
      const { url } = await serve(answer(503), answer(200));
      const { fetch, pass } = open(options);
      const response = fetch(url, init);
      await pass(125, () => {});
      expect((await response).status).toBe(200);
    }
  });

  test("sends the same body again, whatever it is but a stream", async () => {
    const form = new FormData();
    form.append("field", "value");
    const bodies: NonNullable<RequestInit["body"]>[] = [
      "text",
      new Uint8Array([116, 101]),
      new Uint8Array([116, 101]).buffer,
      new Blob(["blob"]),
      new URLSearchParams({ a: "b" }),
      form,
    ];
    const calls: ((url: string) => Parameters<typeof fetch>)[] = [
      ...bodies.map(
        (body) =>
          (url: string): Parameters<typeof fetch> => [url, { method: "PUT", body }],
      ),
      (url) => [new Request(url, { method: "PUT", body: "request" })],
      (url) => [new Request(url), { method: "PUT", body: "over it" }],
    ];
    for (const call of calls) {
      const { came, url } = await serve(answer(503), answer(200));
      const { fetch, pass } = open();
      const response = fetch(...call(url));
      await pass(125, () => {});
      expect((await response).status).toBe(200);
      const [first = "", second = ""] = came.map((body) => body.replace(/formdata-undici-\d+/g, ""));
      expect(first).not.toBe("");
      expect(second).toBe(first);
    }
  });

  test("never repeats a stream", async () => {
    const { came, url } = await serve(answer(503), answer(200));
    const body = new Blob(["stream"]).stream();
    const response = await open().fetch(url, { method: "PUT", body, duplex: "half" });
    expect([response.status, came]).toEqual([503, ["stream"]]);
  });

  test("repeats after a network error, and throws the last one", async () => {
    const hangUp: Handler = (response) => void response.destroy();
    const { came, url } = await serve(hangUp, answer(200));
    const { fetch, pass } = open({ retries: 1 });
    const response = fetch(url);
    await pass(125, () => expect(came).toHaveLength(1));
    expect((await response).status).toBe(200);

    const dead = await serve(hangUp);
    const failing = fetch(dead.url);
    failing.catch(() => {});
    await pass(125, () => expect(dead.came).toHaveLength(1));
    await expect(failing).rejects.toThrow(TypeError);
    expect(dead.came).toHaveLength(2);
  });

  test("never repeats what is the same each time: redirects without end, or where none may be, and other schemes", async () => {
    const { came, url } = await serve(answer(302, { location: "/" }));
    await expect(open().fetch(url)).rejects.toThrow(TypeError);
    const once = came.length;
    expect(once).toBeGreaterThan(1);
    await expect(open().fetch(url, { redirect: "error" })).rejects.toThrow(TypeError);
    expect(came).toHaveLength(once + 1);
    await expect(open().fetch("ftp://127.0.0.1/")).rejects.toThrow(TypeError);
  });

  test("throws at once where the call itself is wrong", async () => {
    const { came, url } = await serve(answer(200));
    const { fetch } = open();
    await expect(fetch("nowhere")).rejects.toThrow(TypeError);
    await expect(fetch(url, { body: "a GET has none" })).rejects.toThrow(TypeError);
    await expect(fetch(url, { headers: { "not a name": "" } })).rejects.toThrow(TypeError);
    expect(came).toEqual([]);
  });

  test("cancels the body of an answer that is not given back", async () => {
    let closed: Promise<unknown> = Promise.resolve();
    const endless: Handler = (response) => {
      closed = new Promise((resolve) => response.on("close", resolve));
      response.writeHead(503).write("and so on");
    };
    const { url } = await serve(endless, answer(200));
    const { fetch, pass } = open();
    const response = fetch(url);
    await pass(125, () => {});
    expect((await response).status).toBe(200);
    await closed;
  });
});

describe("politeFetch() with a deadline", () => {
  test("gives back the answer at once when the wait would end past it", async () => {
    const { came, url } = await serve(answer(503, { "retry-after": "61" }));
    const { fetch, clock } = open({ deadline: 60_000 });
    expect(await (await fetch(url)).text()).toBe("503");
    expect([came.length, clock.pending]).toEqual([1, 0]);
    const error = await fetch(url).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(FetchDeadlineError);
    expect(error).toMatchObject({ code: "TIMEOUT", retryAfter: 61_000, url });
    expect((error as Error).message).toBe(
      `Cannot fetch ${url}: the server asks for quiet for 1m1s, past the deadline of 1m. Retry later or allow more time.`,
    );
    expect(came).toHaveLength(1);
  });

  test("gives up an attempt that has no answer by then, and its connection", async () => {
    let closed: Promise<unknown> = Promise.resolve();
    const silent: Handler = (response) => {
      closed = new Promise((resolve) => response.on("close", resolve));
    };
    const { came, url } = await serve(silent);
    const { fetch, clock } = open({ deadline: 5000 });
    const call = fetch(`${url}?token=secret`).catch((error: unknown) => error);
    while (came.length === 0) await settle();
    clock.advance(5000);
    const error = (await call) as FetchDeadlineError;
    expect(error).toMatchObject({ name: "FetchDeadlineError", retryAfter: 0 });
    expect(error.message).toBe(`Cannot fetch ${url}: no answer came within the deadline of 5s. Allow more time.`);
    await closed;
    expect(clock.pending).toBe(0);
  });

  test("is for the head of the answer, not for its body", async () => {
    const { url } = await serve((response) => {
      response.write("slow");
      closing.unshift(async () => response.destroy());
    });
    const { fetch, clock } = open({ deadline: 1000 });
    const { body } = await fetch(url);
    expect(clock.pending).toBe(0);
    clock.advance(10_000);
    const first = await body?.getReader().read();
    expect(new TextDecoder().decode(first?.value)).toBe("slow");
  });

  test("throws the limiter's refusal at once when the units would come past it", async () => {
    const { came, url } = await serve(answer(200));
    const { fetch } = open({ deadline: 999 }, "1/s");
    await fetch(url);
    await expect(fetch(url)).rejects.toThrow(RateLimitExceededError);
    expect(came).toHaveLength(1);
  });
});

describe("politeFetch() with a signal", () => {
  test("rejects with its reason before it begins, and takes no units", async () => {
    const { came, url } = await serve(answer(200));
    const { fetch } = open({}, "1/s");
    await expect(fetch(url, { signal: AbortSignal.abort(ERROR) })).rejects.toBe(ERROR);
    await expect(fetch(new Request(url, { signal: AbortSignal.abort(ERROR) }))).rejects.toBe(ERROR);
    await fetch(url);
    expect(came).toHaveLength(1);
  });

  test.each(["the limiter", "the server's quiet", "the next attempt"])(
    "rejects while it waits for %s",
    async (what) => {
      const fields: Record<string, string> = what === "the server's quiet" ? { "retry-after": "5" } : {};
      const { came, url } = await serve(answer(what === "the limiter" ? 200 : 503, fields));
      const { fetch, waiting, clock } = open(
        { retries: what === "the next attempt" ? 1 : 0 },
        what === "the limiter" ? "1/s" : undefined,
      );
      if (what !== "the next attempt") await fetch(url);
      for (const viaRequest of [false, true]) {
        const controller = new AbortController();
        const { signal } = controller;
        const call = viaRequest ? fetch(new Request(url, { signal })) : fetch(url, { signal });
        call.catch(() => {});
        await waiting();
        const before = came.length;
        controller.abort(ERROR);
        await expect(call).rejects.toBe(ERROR);
        if (!viaRequest) expect(getEventListeners(signal, "abort")).toHaveLength(0);
        expect([came.length, clock.pending]).toEqual([before, 0]);
      }
    },
  );

  test.each([60_000, Number.POSITIVE_INFINITY])(
    "rejects while it waits for the answer (deadline %d)",
    async (deadline) => {
      let closed: Promise<unknown> = Promise.resolve();
      const { came, url } = await serve((response) => {
        closed = new Promise((resolve) => response.on("close", resolve));
      });
      const { fetch, clock } = open({ deadline });
      const controller = new AbortController();
      const call = fetch(url, { signal: controller.signal });
      call.catch(() => {});
      while (came.length === 0) await settle();
      // A reason that looks like a failure of the network is none.
      const reason = new TypeError("the user left");
      controller.abort(reason);
      await expect(call).rejects.toBe(reason);
      await closed;
      expect([came.length, clock.pending]).toEqual([1, 0]);
    },
  );

  test("governs the body of the answer, past the deadline as well", async () => {
    const { url } = await serve((response) => void response.write("and so on"));
    const { fetch, clock } = open({ deadline: 1000 });
    const controller = new AbortController();
    const response = await fetch(url, { signal: controller.signal });
    clock.advance(5000);
    const text = response.text();
    text.catch(() => {});
    controller.abort(ERROR);
    await expect(text).rejects.toBe(ERROR);
  });

  test("has one listener, however many calls it is handed to", async () => {
    const { url } = await serve(answer(503));
    for (const deadline of [60_000, Number.POSITIVE_INFINITY]) {
      const { fetch, clock, waiting } = open({ deadline, retries: 1 });
      const controller = new AbortController();
      const { signal } = controller;
      const calls = Array.from({ length: 20 }, () => fetch(url, { signal }));
      const outcomes = Promise.allSettled(calls);
      if (deadline === 60_000) {
        await settle();
        expect(getEventListeners(signal, "abort")).toHaveLength(1);
      } else {
        await waiting(20);
      }
      controller.abort(ERROR);
      const reasons = (await outcomes).map((outcome) => outcome.status === "rejected" && outcome.reason);
      expect(new Set(reasons)).toEqual(new Set([ERROR]));
      expect(clock.pending).toBe(0);
    }
  });

  test("gives its reason whatever the implementation of fetch rejects with", async () => {
    const controller = new AbortController();
    const { fetch } = open({
      fetch: async () => {
        controller.abort(ERROR);
        throw new DOMException("aborted", "AbortError");
      },
    });
    await expect(fetch("http://api.test/", { signal: controller.signal })).rejects.toBe(ERROR);
  });

  test("is not listened to once its wait or attempt is over", async () => {
    const answers = [new Response("503", { status: 503 }), new Response(null, { status: 204 })];
    const { fetch, clock } = open({ deadline: 60_000, fetch: async () => answers.shift() as Response });
    const { signal } = new AbortController();
    const response = fetch("http://api.test/", { signal });
    await settle();
    // That of the wait for the next attempt.
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    clock.advance(125);
    expect((await response).status).toBe(204);
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });
});

describe("politeFetch() options", () => {
  test("say what is wrong with them", () => {
    expect(() => open({ retries: -1 })).toThrow(RangeError);
    expect(() => open({ retries: 1.5 })).toThrow(RangeError);
    expect(() => open({ deadline: Number.NaN })).toThrow(RangeError);
    expect(() => open({ backoff: { base: -1 } })).toThrow("backoff.base");
    expect(() => open({ backoff: { cap: "1s" as unknown as number } })).toThrow(TypeError);
    expect(() => politeFetch(undefined, 3 as unknown as PoliteFetchOptions)).toThrow(TypeError);
  });
});
