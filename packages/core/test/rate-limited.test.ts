import { Limiter, ManualClock, RateLimitExceededError, rateLimited, toAsync } from "@sluice/core";
import { InMemoryBucket } from "@sluice/memory";
import ts from "typescript";
import { describe, expect, test } from "vitest";

interface Service {
  call(...args: unknown[]): unknown;
  readonly runs: number;
}

/** Compiles a class by one of the two designs of decorators, with what it needs in scope. */
function compile(source: string, experimentalDecorators: boolean, scope: Record<string, unknown>): Service {
  const options = { target: ts.ScriptTarget.ES2022, experimentalDecorators };
  const { outputText } = ts.transpileModule(source, { compilerOptions: options });
  return new Function(...Object.keys(scope), `${outputText}; return new Service();`)(...Object.values(scope));
}

const CLASS = `
class Service {
  tenant = "acme";
  runs = 0;
  @rateLimited(limiter, options) call(...args) { this.runs++; return answer(this, ...args); }
}`;

describe.each([
  ["a standard decorator", false],
  ["a decorator with experimentalDecorators", true],
])("@rateLimited as %s", (_, experimental) => {
  function service(
    limiter: Limiter<"sync"> | Limiter<"async">,
    options: object,
    answer: (...args: never[]) => unknown,
  ) {
    return compile(CLASS, experimental, { rateLimited, limiter, options, answer });
  }
  const clock = () => new ManualClock();
  const sync = (rate: string) => new Limiter(new InMemoryBucket(rate, { clock: clock() }), { name: "mail" });
  const async = (rate: string) => new Limiter(toAsync(new InMemoryBucket(rate, { clock: clock() })));

  test("keeps this, the arguments and the value; a denied call never runs", () => {
    const mailer = service(sync("1/s"), {}, (self: { tenant: string }, to: string) => `${self.tenant} to ${to}`);
    expect(mailer.call("ada")).toBe("acme to ada");
    expect(() => mailer.call("ada")).toThrow(RateLimitExceededError);
    expect(mailer.runs).toBe(1);
  });

  test("finds the key and the weight from this and the arguments", () => {
    const limiter = sync("5/s");
    const options = {
      key(this: { tenant: string }, to: string) {
        return `${this.tenant}/${to}`;
      },
      weight: (_to: string, pages: number) => pages,
    };
    const mailer = service(limiter, options, () => "sent");
    mailer.call("ada", 3);
    expect(limiter.peek("acme/ada").remaining).toBe(1);
    expect(() => mailer.call("ada", 3)).toThrow(/"acme\/ada" in "mail"/);
    expect(mailer.call("bob", 3)).toBe("sent");
  });

  test("skips a denied call where it is told to", async () => {
    const mailer = service(async("1/s"), { onLimited: "skip" }, async () => "sent");
    expect([await mailer.call(), await mailer.call()]).toEqual(["sent", undefined]);
  });

  test("waits where it is told to", async () => {
    const time = clock();
    const limiter = new Limiter(new InMemoryBucket("1/s", { clock: time }));
    const mailer = service(limiter, { onLimited: "wait", key: "all" }, async () => "sent");
    const calls = [mailer.call(), mailer.call()];
    await calls[0];
    expect(mailer.runs).toBe(1);
    time.advance(1000);
    expect(await calls[1]).toBe("sent");
  });

  test("says so where a method answers at once although the limiter takes time", async () => {
    const rule = 'Cannot limit "call": it answers at once, and the limiter, or the wait, takes time.';
    await expect(service(async("9/s"), {}, () => 7).call()).rejects.toThrow(
      new TypeError(`${rule} Make it async, or limit it by a sync limiter.`),
    );
    await expect(service(sync("9/s"), { onLimited: "wait" }, () => 7).call()).rejects.toThrow(rule);
  });

  test("does so before the first call where a method can never give a promise", () => {
    for (const method of ["*", "async *"]) {
      const source = `class Service { @rateLimited(limiter) ${method} call() {} }`;
      expect(() => compile(source, experimental, { rateLimited, limiter: async("9/s") })).toThrow(
        'Cannot limit "call": it answers at once',
      );
    }
  });

  test.each(["get field() { return 7; }", "set field(to) {}", "field = 7;"])("does not go on %s", (member) => {
    expect(() =>
      compile(`class Service { @rateLimited(limiter) ${member} }`, experimental, {
        rateLimited,
        limiter: sync("1/s"),
      }),
    ).toThrow(new TypeError('Cannot limit "field": @rateLimited goes on a method. Move it to one.'));
  });

  test("does not go on a class", () => {
    expect(() =>
      compile("@rateLimited(limiter) class Service {}", experimental, { rateLimited, limiter: sync("1/s") }),
    ).toThrow(new TypeError('Cannot limit "Service": @rateLimited goes on a method. Move it to one.'));
  });

  test("keeps the name and the length of the method", () => {
    const source = "class Service { @rateLimited(limiter) call(to, pages) {} }";
    const { call } = compile(source, experimental, { rateLimited, limiter: sync("1/s") });
    expect([call.name, call.length]).toEqual(["call", 2]);
  });

  test("goes on methods only, with options that are options", () => {
    const onField = "class Service { @rateLimited(limiter) field = 7; }";
    expect(() => compile(onField, false, { rateLimited, limiter: sync("1/s") })).toThrow(
      'Cannot limit "field": @rateLimited goes on a method.',
    );
    expect(() => service(sync("1/s"), { onLimited: "drop" }, () => 7)).toThrow('Cannot use "drop" as onLimited');
  });
});

describe("rateLimited()", () => {
  test.each(["1/s", undefined, null, {}])("refuses %j for a limiter, before there is a class", (limiter) => {
    expect(() => rateLimited(limiter as never)).toThrow(/^Cannot limit methods by .*: pass a limiter\. For a rate/);
    expect(() => rateLimited(limiter as never)).toThrow(TypeError);
  });

  test("refuses what are no options", () => {
    const limiter = new Limiter(new InMemoryBucket("1/s"));
    expect(() => rateLimited(limiter, "ada" as never)).toThrow(
      new TypeError('Cannot limit methods with "ada": pass options, as in @rateLimited(limiter, { key: "mail" }).'),
    );
  });
});

describe("Limiter.wrap()", () => {
  const limiter = new Limiter(new InMemoryBucket("9/s"));

  test.each(["x", undefined, {}])("refuses %j for a function when it is wrapped", (fn) => {
    expect(() => limiter.wrap(fn as never)).toThrow(/^Cannot limit .*: it is not a function\. Pass one/);
    expect(() => limiter.wrap(fn as never)).toThrow(TypeError);
  });

  test.each([null, "ada"])("refuses %j for options when it is wrapped", (options) => {
    expect(() => limiter.wrap(function send() {}, options as never)).toThrow(
      /^Cannot limit "send" with .*: pass options, as in wrap\(fn, \{ key: "mail" \}\)\.$/,
    );
  });

  test("keeps the name and the length of the function", () => {
    const send = limiter.wrap(function sendMail(_to: string, _pages: number) {});
    expect([send.name, send.length]).toEqual(["sendMail", 2]);
  });
});
