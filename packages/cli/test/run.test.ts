import { tmpdir } from "node:os";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { commonLine, replayed, sluice, withFiles } from "./harness.js";

const FIFTEEN = [...Array(15).keys()].map((second) => commonLine(second));
/** Fifteen requests of .1 in 14 seconds, a line that cannot be read, and one request of .2. */
const LOG = [...FIFTEEN, "nonsense", commonLine(3, "192.0.2.2")].join("\n");

describe("sluice replay --json", () => {
  test("prints one object that says all there is to say", async () => {
    const { seconds, ...report } = await replayed(["-", "--rate", "10/min"], LOG);
    expect(seconds).toBeGreaterThanOrEqual(0);
    expect(report).toEqual({
      requests: 16,
      keys: 2,
      malformed: 1,
      outOfOrder: 1,
      late: 0,
      admitted: 11,
      refused: 5,
      shareRefused: 5 / 16,
      keysRefused: 1,
      top: [{ key: "192.0.2.1", refused: 5, requests: 15 }],
      busiestMinutes: [{ minute: "2024-05-17T12:00:00.000Z", requests: 16, refused: 5 }],
      from: "2024-05-17T12:00:00.000Z",
      to: "2024-05-17T12:00:14.000Z",
      smallestLimits: [{ interval: "1m", refusingNobody: 15, refusingOnePercent: 15, refusingOnePerMille: 15 }],
      rates: ["10/1m"],
      algorithm: "sliding-window-log",
      key: "ip",
      files: ["-"],
    });
  });

  test("replays under several rates at once, and finds a smallest limit for each", async () => {
    const report = await replayed(["-", "--rate", "10/min", "-r", "3/10s"], LOG);
    expect(report.rates).toEqual(["3/10s", "10/1m"]);
    expect(report.admitted).toBe(7);
    expect(report.smallestLimits.map((limits: { interval: string }) => limits.interval)).toEqual(["10s", "1m"]);
    expect(report.smallestLimits[0].refusingNobody).toBe(10);
  });

  test("--burst is that of every rate which names none", async () => {
    const flags = ["-", "--algorithm", "token-bucket", "--burst", "4"];
    const report = await replayed([...flags, "--rate", "30/min", "--rate", "100/h burst 7"], LOG);
    expect(report.rates).toEqual(["30/1m burst 4", "100/1h burst 7"]);
    expect(report.smallestLimits[0].refusingNobody).toBe(48);
  });

  test("a burst that is too small for every limit gives null", async () => {
    const log = `${commonLine(0)}\n${commonLine(0)}`;
    const report = await replayed(["-", "--rate", "5/s burst 1", "--algorithm", "leaky-bucket"], log);
    expect(report.smallestLimits[0].refusingNobody).toBeNull();
    const { stdout } = await sluice(["replay", "-", "--rate", "5/s burst 1", "--algorithm", "leaky-bucket"], log);
    expect(stdout).toContain("none (burst too small)");
  });

  test.each([
    ["ip", ["192.0.2.1", "192.0.2.2"]],
    ["path", ["/a", "/b"]],
    ["user", ["ada", "bob"]],
    ["ip+path", ["192.0.2.1 /a", "192.0.2.1 /b", "192.0.2.2 /a"]],
  ])("--key %s counts under it", async (key, keys) => {
    const log = [
      commonLine(0, "192.0.2.1", "GET /a?x HTTP/1.1", "ada"),
      commonLine(0, "192.0.2.1", "GET /b HTTP/1.1", "ada"),
      commonLine(0, "192.0.2.2", "GET /a?y HTTP/1.1", "bob"),
    ];
    const report = await replayed(["-", "--rate", "1/min", "--key", key], [...log, ...log].join("\n"));
    expect(report.top.map((top: { key: string }) => top.key).sort()).toEqual(keys);
  });

  test("--top says how many keys to list", async () => {
    const log = [1, 1, 2, 2, 3, 3].map((last) => commonLine(0, `192.0.2.${last}`)).join("\n");
    const report = await replayed(["-", "--rate", "1/min", "--top", "2"], log);
    expect(report.top.length).toBe(2);
    expect(report.keysRefused).toBe(3);
  });

  test("--reorder-window says how late a line may be", async () => {
    const log = [commonLine(0), commonLine(300), commonLine(100)].join("\n");
    expect((await replayed(["-", "--rate", "1/min"], log)).late).toBe(0);
    expect((await replayed(["-", "--rate", "1/min", "--reorder-window", "1m"], log)).late).toBe(1);
  });
});

describe("sluice replay FILE...", () => {
  test("merges files by time, in any order, plain or gzip by content, each out of order on its own", async () => {
    const lines = [...Array(60).keys()].map((second) => commonLine(second, `192.0.2.${second % 3}`));
    const [old, middle, recent] = [0, 20, 40].map((start) => lines.slice(start, start + 20).join("\n"));
    const swapped = lines.slice(20, 40).reverse().join("\n");
    const whole = await replayed(["-", "--rate", "5/min"], lines.join("\n"));
    const halves = Buffer.concat([gzipSync(`${middle?.slice(0, 100)}`), gzipSync(`${middle?.slice(100)}`)]);
    const expected = { ...whole, files: 0, seconds: 0 };
    const contents = [gzipSync(`${old}\n`), halves, `${recent}\n`, `${swapped}\n`];
    await withFiles(contents, async ([first = "", second = "", third = "", shuffled = ""]) => {
      const inOrder = await replayed([first, second, third, "--rate", "5/min"]);
      expect({ ...inOrder, files: 0, seconds: 0 }).toEqual(expected);
      const anyOrder = await replayed([third, first, second, "--rate", "5/min"]);
      expect({ ...anyOrder, files: 0, seconds: 0 }).toEqual(expected);
      const report = await replayed([third, shuffled, first, "--rate", "5/min"]);
      expect({ ...report, files: 0, seconds: 0 }).toEqual({ ...expected, outOfOrder: 19 });
    });
  });

  test("reads gzip and JSON lines from standard input", async () => {
    const line = JSON.stringify({ level: 30, time: 1_715_947_200_000, req: { url: "/a", remoteAddress: "192.0.2.1" } });
    const report = await replayed(["-", "--rate", "1/min"], gzipSync(`${line}\n${line}\n`));
    expect([report.requests, report.refused]).toEqual([2, 1]);
  });

  test("prints a report for people", async () => {
    const log = [...Array(1500).keys()].map((second) => commonLine(second / 100, "192.0.2.1")).join("\n");
    const { code, stdout, stderr } = await sluice(["replay", "-", "--rate", "10/min"], `${log}\n${commonLine(1, "b")}`);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toBe(`10/1m by sliding-window-log, for each ip
1,501 requests of 2 keys from 2024-05-17 12:00:00 to 2024-05-17 12:00:14 UTC

admitted                          11    0.73 %
refused                        1,490   99.27 %
keys refused at least once         1   50.00 %
lines out of order                 1
lines that could not be read       0

refused most   refused   requests
192.0.2.1        1,490      1,500

busiest minutes    refused   requests
2024-05-17 12:00     1,490      1,501

smallest limit refusing   nobody   0.1 % of keys   1 % of keys
in 1m                      1,500           1,500         1,500
`);
  });

  test("a key cannot steer the terminal, nor fill it", async () => {
    const path = `/\u001b[31m${"x".repeat(100)}`;
    const line = commonLine(0, "192.0.2.1", `GET ${path} HTTP/1.1`);
    const { stdout } = await sluice(["replay", "-", "--rate", "1/min", "--key", "path"], `${line}\n${line}`);
    expect(stdout).toContain("/\\u{1b}[31mxxx");
    expect(stdout).not.toContain("\u001b");
    expect(Math.max(...stdout.split("\n").map((row) => row.length))).toBeLessThan(100);
  });
});

describe("sluice, called wrongly", () => {
  test.each([
    ["no command", "", "Cannot run without a command"],
    ["an unknown command", "play", "unknown command 'play'"],
    ["no file", "replay --rate 1/s", "name a file"],
    ["no rate", "replay -", "--rate 100/min"],
    ["a rate that is none", "replay - --rate ten", 'Cannot read "ten" as a rate'],
    ["rates that do not go together", "replay - --rate 5/s --rate 1/min", "can never bind"],
    ["an unknown algorithm", "replay - --rate 1/s --algorithm guess", "sliding-window-log, sliding-window-counter, "],
    ["an unknown key", "replay - --rate 1/s --key agent", "ip, path, user, ip+path"],
    ["a burst that is none", "replay - --rate 1/s --algorithm token-bucket --burst x", 'Cannot use "x" as --burst'],
    ["a burst of 0", "replay - --rate 1/s --algorithm token-bucket --burst 0", "Cannot use 0 as a burst"],
    ["a burst where none is taken", "replay - --rate 1/s --burst 5", "only token-bucket and leaky-bucket take a burst"],
    [
      "such a burst in a rate",
      "replay - --rate 1/s,burst=5",
      "only the token bucket and the leaky bucket take a burst",
    ],
    ["a count that is none", "replay - --rate 1/s --top -1", 'Cannot use "-1" as --top'],
    ["a window that is none", "replay - --rate 1/s --reorder-window 5", 'Cannot read "5" as a duration'],
    ["an unknown option", "replay - --rate 1/s --jsn", "Did you mean --json?"],
    ["a missing file", "replay /nowhere/access.log --rate 1/s", '"/nowhere/access.log": there is no such file'],
    ["a directory", `replay ${tmpdir()} --rate 1/s`, "it is a directory"],
    ["standard input twice", "replay - - --rate 1/s", 'Cannot read "-" twice'],
    ["nothing to read", "replay - --rate 1/s", 'Cannot replay "-": no line has a time'],
  ])("%s: one line on standard error, and exit code 2", async (_, command, message) => {
    const argv = command.split(" ").filter((word) => word !== "");
    const { code, stdout, stderr } = await sluice(argv, Uint8Array.of(0, 1, 2, 255, 10, 254));
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^sluice: .+\n$/);
    expect(stderr).toContain(message);
  });

  test.each(["/nowhere/access.log", tmpdir()])(
    "%s, which cannot be read, is told before any other is read",
    async (name) => {
      let hasRead = false;
      async function* stdin() {
        hasRead = true;
        yield LOG;
      }
      expect((await sluice(["replay", "-", name, "--rate", "1/s"], stdin())).code).toBe(2);
      expect(hasRead).toBe(false);
    },
  );

  test("gzip data that ends too soon is told, and not replayed in part", async () => {
    const { code, stdout, stderr } = await sluice(["replay", "-", "--rate", "1/s"], gzipSync(LOG).subarray(0, -20));
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain('sluice: Cannot read "-": its gzip data is broken');
  });
});

describe("sluice, asked about itself", () => {
  test("--version prints the version", async () => {
    const { code, stdout } = await sluice(["--version"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("--help names the command, and that of replay its options, names and examples", async () => {
    expect((await sluice(["--help"])).stdout).toContain("replay");
    const { code, stdout } = await sluice(["replay", "--help"]);
    expect(code).toBe(0);
    for (const text of ["--rate", "--algorithm", "--burst", "--key", "--json", "msec", "$ sluice replay access.log"]) {
      expect(stdout).toContain(text);
    }
  });
});
