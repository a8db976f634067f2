/**
 * The command itself, in a process of its own: it runs on what is built, as users do.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, get, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readAnswer, signal, TestUpstream, until } from "./serve-harness.js";

const MAIN = fileURLToPath(new URL("../dist/main.js", import.meta.url));

/** The command, once it serves or has ended. */
class Served {
  stdout = "";
  stderr = "";
  readonly exit: Promise<unknown[]>;

  private constructor(
    readonly process: ChildProcess,
    readonly folder: string,
  ) {
    process.stdout?.on("data", (chunk) => {
      this.stdout += chunk;
    });
    process.stderr?.on("data", (chunk) => {
      this.stderr += chunk;
    });
    this.exit = once(process, "close");
  }

  static async start(args: readonly string[], config?: object): Promise<Served> {
    const folder = await mkdtemp(join(tmpdir(), "sluice-"));
    if (config !== undefined) await writeFile(join(folder, "sluice.config.json"), JSON.stringify(config));
    const served = new Served(spawn(process.execPath, [MAIN, "serve", ...args], { cwd: folder }), folder);
    await Promise.race([once(served.process.stdout as NodeJS.ReadableStream, "data"), served.exit]);
    return served;
  }

  get port(): number {
    return Number(/:(\d+) in front of/.exec(this.stdout)?.[1]);
  }

  open(path: string, options: object = {}) {
    return request({ host: "127.0.0.1", port: this.port, path, agent: false, ...options }).end();
  }

  /** Sends a signal, and waits until it is heeded. */
  async signal(name: "SIGTERM" | "SIGINT"): Promise<void> {
    const before = this.stderr.length;
    this.process.kill(name);
    await until(() => this.stderr.slice(before).includes("\n"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill("SIGKILL");
    await this.exit;
    await rm(this.folder, { recursive: true });
  }
}

/** An upstream that answers `/slow` when it is told to, and everything else at once. */
async function slowUpstream() {
  const goOn = signal();
  const reached = signal();
  const upstream = await TestUpstream.start(async (incoming, response) => {
    if (incoming.url === "/slow") {
      reached.raise();
      await goOn.raised;
    }
    response.end("whole");
  });
  return { upstream, goOn, reached };
}

describe.each(["SIGTERM", "SIGINT"] as const)("sluice serve, on %s", (name) => {
  test("accepts no more, finishes what runs, and ends with exit code 0", async () => {
    const { upstream, goOn, reached } = await slowUpstream();
    await using _ = upstream;
    await using served = await Served.start(["--host", "127.0.0.1", "--port", "0", "--upstream", upstream.origin]);
    const idle = new Agent({ keepAlive: true });
    await readAnswer(get({ host: "127.0.0.1", port: served.port, agent: idle }));
    const running = readAnswer(served.open("/slow", { headers: { connection: "keep-alive" } }));
    await reached.raised;
    await served.signal(name);
    const [refusal] = await once(connect(served.port, "127.0.0.1"), "error");
    expect(refusal.code).toBe("ECONNREFUSED");
    goOn.raise();
    expect(await running).toMatchObject({ status: 200, text: "whole" });
    expect(await served.exit).toEqual([0, null]);
    expect(served.stderr).toContain(`${name}: no new connections`);
    idle.destroy();
  });

  test("a second time, ends at once", async () => {
    const { upstream, reached } = await slowUpstream();
    await using _ = upstream;
    await using served = await Served.start(["--host", "127.0.0.1", "--port", "0", "--upstream", upstream.origin]);
    const lost = once(served.open("/slow"), "error");
    await reached.raised;
    await served.signal(name);
    await served.signal(name);
    expect((await lost)[0].code).toBe("ECONNRESET");
    expect(await served.exit).toEqual([name === "SIGTERM" ? 143 : 130, null]);
    expect(served.stderr).toContain("broke off what still ran, on 1 connections");
  });
});

describe("sluice serve, when it ends", () => {
  test("does not wait for a connection that asks nothing", async () => {
    await using served = await Served.start(["--demo", "--port", "0", "--drain-timeout", "5s"]);
    const socket = connect(served.port, "127.0.0.1").on("error", () => {});
    await once(socket, "connect");
    await readAnswer(served.open("/"));
    await served.signal("SIGTERM");
    expect(await served.exit).toEqual([0, null]);
  });

  test("waits no longer than --drain-timeout, for WebSockets neither", async () => {
    await using upstream = await TestUpstream.start();
    upstream.server.on("upgrade", (_, socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      socket.on("error", () => {});
    });
    const flags = ["--host", "127.0.0.1", "--port", "0", "--upstream", upstream.origin, "--drain-timeout", "100ms"];
    await using served = await Served.start(flags);
    const outgoing = served.open("/", { headers: { connection: "upgrade", upgrade: "websocket" } });
    const [, socket] = await once(outgoing, "upgrade");
    socket.on("error", () => {});
    await served.signal("SIGTERM");
    expect(await served.exit).toEqual([1, null]);
    expect(served.stderr).toContain("The time is over: broke off what still ran, on 1 connections.");
  });

  test("serves those who wait in the queue", async () => {
    const { upstream, goOn, reached } = await slowUpstream();
    await using _ = upstream;
    const flags = ["--host", "127.0.0.1", "--port", "0", "--upstream", upstream.origin, "--max-concurrent", "1"];
    await using served = await Served.start(flags);
    const [first, second] = [readAnswer(served.open("/slow")), readAnswer(served.open("/queued"))];
    await reached.raised;
    await until(async () => (await readAnswer(served.open("/metrics"))).text.includes("\nsluice_queue_depth 1\n"));
    await served.signal("SIGTERM");
    goOn.raise();
    expect((await first).text + (await second).text).toBe("wholewhole");
    expect(await served.exit).toEqual([0, null]);
    expect(served.stderr).toMatch(/^sluice: The size of the queue: 2 requests came so far, and 100 are needed\.$/m);
  });
});

describe("sluice serve, when it starts", () => {
  test("takes its options from sluice.config.json in the working directory", async () => {
    await using upstream = await TestUpstream.start();
    const config = { upstream: upstream.origin, host: "127.0.0.1", port: 0, rate: "1/h", store: "sqlite:./sluice.db" };
    await using served = await Served.start([], config);
    expect((await readAnswer(served.open("/"))).status).toBe(200);
    expect((await readAnswer(served.open("/"))).status).toBe(429);
    await served.signal("SIGTERM");
    expect(await served.exit).toEqual([0, null]);
  });

  test("says which option of the file is wrong, and why", async () => {
    await using served = await Served.start([], { upstream: "http://127.0.0.1:1", port: "x" });
    expect(await served.exit).toEqual([2, null]);
    expect(served.stderr).toBe(
      'sluice: Cannot use "x" as port in sluice.config.json: it is a whole number from 0 to 65535, such as 8080.\n',
    );
  });

  test("--demo brings its upstream, and two lines to try", async () => {
    await using served = await Served.start(["--demo", "--port", "0"]);
    const address = `http://127.0.0.1:${served.port}`;
    expect(served.stdout).toContain(`Serving ${address} in front of a demo.\n`);
    expect(served.stdout.match(/^ {2}curl .*$/gm)).toEqual([
      `  curl -i ${address}/`,
      `  curl -s -o /dev/null -w "%{http_code}\\n" "${address}/?[1-30]"`,
    ]);
    const [response] = (await once(served.open("/any"), "response")) as [IncomingMessage];
    expect(JSON.parse(await text(response))).toMatchObject({ path: "/any", forwardedFor: "127.0.0.1" });
  });

  test("--admin-port 0 is any free one, which is told", async () => {
    await using served = await Served.start(["--demo", "--port", "0", "--admin-port", "0"]);
    const [, port] = /^\/healthz and \/metrics are on http:\/\/127\.0\.0\.1:(\d+)\.$/m.exec(served.stdout) ?? [];
    expect((await readAnswer(served.open("/healthz", { port }))).text).toContain("ok");
  });

  test("--demo brings its upstream where the file names another", async () => {
    await using served = await Served.start(["--demo"], { upstream: "http://127.0.0.1:9", port: 0 });
    expect(served.stdout).toContain("in front of a demo.");
    expect((await readAnswer(served.open("/"))).status).toBe(200);
  });

  test("a port that is taken is told; the demo takes the next", async () => {
    await using upstream = await TestUpstream.start();
    const { port } = new URL(upstream.origin);
    await using served = await Served.start(["--demo", "--port", port]);
    expect(await served.exit).toEqual([2, null]);
    expect(served.stderr).toContain(`Cannot listen on port ${port}: another program does. Choose another with --port`);
    await using withAdmin = await Served.start(["--demo", "--port", port, "--admin-port", "0"]);
    expect(await withAdmin.exit).toEqual([2, null]);
    await using adminTaken = await Served.start(["--demo", "--admin-port", port]);
    expect(await adminTaken.exit).toEqual([2, null]);
    expect(adminTaken.stderr).toContain(`another program does. Choose another with --admin-port, or 0 for any free`);
    await using first = await Served.start(["--demo"]);
    await using second = await Served.start(["--demo"]);
    expect(second.port).toBeGreaterThan(first.port);
  });
});
