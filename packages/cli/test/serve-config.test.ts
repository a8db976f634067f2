import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadConfig } from "../src/serve/config-file.js";
import { openGate } from "../src/serve/open-gate.js";
import { OPTIONS } from "../src/serve/options.js";
import { fromFile, fromFlags, readSettings } from "../src/serve/read-settings.js";
import { sluice } from "./harness.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-"));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (name: string, text: string) => writeFile(join(folder, name), text);

describe("the config of sluice serve", () => {
  test.each([
    ["sluice.config.json", '{ "upstream": "http://a:1", "maxConcurrent": 7 }'],
    ["sluice.config.mjs", "export default { upstream: 'http://a:1', maxConcurrent: 3 + 4 };"],
    [
      "sluice.config.ts",
      "type Port = number; const max: Port = 7 as Port; export default { upstream: 'http://a:1', maxConcurrent: max } satisfies object;",
    ],
  ])("is found as %s, or named", async (name, content) => {
    await write(name, content);
    const values = { upstream: "http://a:1", maxConcurrent: 7 };
    expect(await loadConfig(undefined, folder)).toEqual({ name, values });
    expect(await loadConfig(name, folder)).toEqual({ name, values });
  });

  test("is not needed", async () => {
    expect(await loadConfig(undefined, folder)).toBeUndefined();
  });

  test.each([
    ["a file that is not there", "none.json", undefined, 'Cannot read the config "none.json": there is no such file.'],
    ["broken JSON", "a.json", "{", 'Cannot read the config "a.json": '],
    ["a module that throws", "a.mjs", "throw new Error('no luck')", 'Cannot read the config "a.mjs": no luck'],
    ["a list", "a.json", "[]", 'Cannot use [] of "a.json" as config: it is an object'],
    ["a module without a default", "a.mjs", "export const port = 1;", "it is an object, exported by default"],
  ])("%s is told", async (_, name, content, message) => {
    if (content !== undefined) await write(name, content);
    await expect(loadConfig(name, folder)).rejects.toThrow(message);
  });

  test("may begin with a byte order mark", async () => {
    await write("a.json", '\ufeff{ "port": 1 }');
    expect((await loadConfig("a.json", folder))?.values).toEqual({ port: 1 });
  });

  test("may say that no proxy is trusted", () => {
    expect(readSettings([fromFile({ trusted: [] }, "file")]).trusted).toEqual([]);
  });

  test("--rate none switches off what the file says of the limit, its burst too", () => {
    const settings = readSettings([fromFlags({ rate: ["none"] }), fromFile({ rate: "5/s", burst: 9 }, "file")]);
    expect(settings.rate).toEqual([]);
  });

  test("two files are one too many", async () => {
    await write("sluice.config.json", "{}");
    await write("sluice.config.mjs", "export default {}");
    await expect(loadConfig(undefined, folder)).rejects.toThrow(
      "Cannot choose between sluice.config.json and sluice.config.mjs: say which one by --config.",
    );
  });

  test.each([
    [{ prot: 8080 }, 'Cannot use "prot" in file: there is no such option. The options are upstream, host, port, '],
    [{ port: "eighty" }, 'Cannot use "eighty" as port in file: it is a whole number from 0 to 65535, such as 8080.'],
    [{ port: 65_536 }, "Cannot use 65536 as port in file"],
    [{ upstream: "127.0.0.1:3000" }, 'Cannot use "127.0.0.1:3000" as upstream in file: it is the origin of a server'],
    [{ upstream: "http://a/base" }, 'Cannot use "http://a/base" as upstream in file'],
    [{ upstream: "http://me:secret@a" }, 'Cannot use "http://...@a" as upstream in file'],
    [{ rate: "fast" }, 'Cannot read "fast" as a rate'],
    [{ rate: 100 }, "Cannot use 100 as rate in file: it is a rate"],
    [{ rate: [] }, "Cannot use [] as rate in file: it is a rate"],
    [{ burst: 0 }, "Cannot use 0 as burst in file: it is a whole number, 1 or more"],
    [{ algorithm: "guess" }, 'Cannot use "guess" as algorithm in file: it is one of sliding-window-log, '],
    [{ key: "agent" }, 'Cannot use "agent" as key in file: it is ip, none, or header:'],
    [{ trusted: "10.0.0.0/99" }, 'Cannot trust "10.0.0.0/99": '],
    [{ trusted: -1 }, "Cannot trust -1 proxies"],
    [{ ipv6Prefix: 8 }, "Cannot use 8 as ipv6Prefix in file: it is a whole number from 32 to 128"],
    [{ store: "redis.example" }, 'Cannot use "redis.ex…" as store in file: it is the URL of a store'],
    [{ name: "" }, 'Cannot use "" as name in file'],
    [{ name: "a\u2603" }, 'Cannot use "a\u2603" as name in file: it is a name in printable ASCII, such as "api".'],
    [{ onStoreError: "throw" }, "it is one of open, closed."],
    [{ fields: "draft-1" }, 'Cannot use "draft-1" as fields in file'],
    [{ maxConcurrent: 0 }, "Cannot use 0 as maxConcurrent in file: it is a whole number, 1 or more, such as 64."],
    [{ queueDepth: 10 }, "Cannot use queueDepth in file without a bound on the requests at work"],
    [
      { maxWait: "soon", maxConcurrent: 1 },
      'Cannot use "soon" as maxWait in file: it is a duration or 0 such as "30s"',
    ],
    [{ maxWait: "5", maxConcurrent: 1 }, 'Cannot use "5" as maxWait in file: it lacks a unit, as in "5s" or "5ms".'],
    [
      { rate: "none", burst: 5 },
      "Cannot use burst in file without a rate: nobody is limited. Give a rate, or leave it",
    ],
    [{ responseTimeout: -1 }, "Cannot use -1 as responseTimeout in file: it is a duration"],
    [{ connectTimeout: 0 }, "Cannot use 0 as connectTimeout in file: it is a duration"],
    [{ hostHeader: "mine" }, "it is one of client, upstream."],
  ])("%j is told, with its name, its value and the rule", (values, message) => {
    expect(() => readSettings([fromFile(values, "file")])).toThrow(message);
  });

  test("rates that do not go together are told", async () => {
    const open = (values: object) => openGate(readSettings([fromFile({ ...values }, "file")]));
    await expect(open({ rate: ["5/s", "1/min"] })).rejects.toThrow("can never bind");
    await expect(open({ algorithm: "fixed-window", burst: 5 })).rejects.toThrow(
      "only token-bucket and leaky-bucket take a burst",
    );
    await expect(open({ store: "mysql://secret@host" })).rejects.toThrow('Cannot open "mysql:…"');
  });

  test("an option of the command line comes before the file, and both before the default", () => {
    const flags = fromFlags({ port: "1", trusted: ["10.0.0.0/8,127.0.0.1", "::1"] });
    const settings = readSettings([flags, fromFile({ port: 2, keepAlive: "5m", trusted: 1 }, "file")]);
    expect(settings).toMatchObject({ port: 1, keepAlive: 300_000, idleTimeout: 60_000 });
    expect(settings.trusted).toEqual(["10.0.0.0/8", "127.0.0.1", "::1"]);
  });

  test("without any, a client may ask 100 a second and 200 at once", async () => {
    const gate = await openGate(readSettings([]));
    const passage = await gate.enter({ headers: {}, socket: { remoteAddress: "192.0.2.1" } });
    expect(passage.fields).toContainEqual(["RateLimit-Policy", '"default";q=200;w=2']);
    if (passage.allowed) passage.leave();
    await gate.close();
  });
});

describe("sluice serve, called wrongly", () => {
  test.each([
    ["no upstream", "serve", "Cannot serve without an upstream: say where requests go, as in --upstream http://"],
    ["an upstream beside the demo", "serve --demo --upstream http://a", "Leave out one of them."],
    ["a port that is none", "serve --upstream http://a --port x", 'Cannot use "x" as --port: it is a whole number'],
    ["a queue without slots", "serve --upstream http://a --queue-depth 5", "Cannot use --queue-depth without a bound"],
    [
      "a name beyond ASCII",
      "serve --upstream http://a --name a\u2603",
      'Cannot use "a\u2603" as --name: it is a name in',
    ],
    ["an unknown option", "serve --upstrem http://a", "Did you mean --upstream?"],
    ["a word too many", "serve http://a", "too many arguments"],
    ["a config that is missing", "serve --config nowhere.json", 'Cannot read the config "nowhere.json"'],
  ])("%s: one line on standard error, and exit code 2", async (_, command, message) => {
    const { code, stdout, stderr } = await sluice(command.split(" "));
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^sluice: .+\n$/);
    expect(stderr).toContain(message);
  });

  test("--help names every option, with its default", async () => {
    const { code, stdout } = await sluice(["serve", "--help"]);
    expect(code).toBe(0);
    for (const { flags } of Object.values(OPTIONS)) expect(stdout).toContain(flags);
    for (const text of ["--demo", "--config <file>", "(default: 8080)", "$ sluice serve --demo", "Exit codes"]) {
      expect(stdout).toContain(text);
    }
    expect((await sluice(["--help"])).stdout).toContain("serve");
  });
});
