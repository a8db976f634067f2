/**
 * The command's work: from flags to a proxy that serves until it is told to stop.
 *
 * @module
 */
import { ExitCode } from "../exit-code.js";
import type { Streams } from "../streams.js";
import { UsageError } from "../usage-error.js";
import { loadConfig } from "./config-file.js";
import { DemoUpstream } from "./demo-upstream.js";
import { openGate } from "./open-gate.js";
import type { ServeSettings } from "./options.js";
import { fromFile, fromFlags, readSettings, type Source } from "./read-settings.js";
import { ReverseProxy } from "./reverse-proxy.js";
import { showStatus } from "./status.js";
import { untilStopped } from "./until-stopped.js";

/** What the demo is set to where nothing else is said: limits that a person can reach by hand. */
const DEMO = { host: "127.0.0.1", maxConcurrent: 4, queueDepth: 8 };
const DEMO_LIMIT = { rate: "5/s", burst: 10 };
/** Ports behind its own that the demo may take. */
const DEMO_SPARE_PORTS = 20;

/** The flags as commander gives them. */
export interface ServeFlags {
  readonly config?: string;
  readonly demo?: boolean;
  readonly upstream?: string;
  readonly [option: string]: unknown;
}

/**
 * Serves until the process gets SIGTERM or SIGINT.
 *
 * @throws UsageError for options that cannot be, ExitCode where the end was not a good one.
 */
export async function serve({ config, demo = false, ...flags }: ServeFlags, streams: Streams): Promise<void> {
  const file = await loadConfig(config, process.cwd());
  const given = [fromFlags(flags), ...(file === undefined ? [] : [fromFile(file.values, file.name)])];
  const settings = readSettings(demo ? [...given, ...demoDefaults(given)] : given);
  checkUpstream(settings, demo, flags.upstream !== undefined);
  const upstream = demo ? new DemoUpstream() : undefined;
  try {
    const origin = (await upstream?.start()) ?? settings.upstream;
    if (origin === undefined) return;
    const mayMove = demo && !isGiven(given, "port");
    await run(settings, origin, mayMove ? DEMO_SPARE_PORTS : 0, demo, streams);
  } finally {
    upstream?.stop();
  }
}

function demoDefaults(given: readonly Source[]): Source[] {
  const isLimited = ["rate", "burst", "algorithm"].some((name) => isGiven(given, name));
  return [fromFlags(isLimited ? DEMO : { ...DEMO, ...DEMO_LIMIT })];
}

function isGiven(sources: readonly Source[], name: string): boolean {
  return sources.some(({ values }) => values[name] !== undefined);
}

function checkUpstream({ upstream }: ServeSettings, demo: boolean, isFlag: boolean): void {
  // That of a file stays unused: who asks for the demo has asked for it now.
  if (demo && isFlag) {
    throw new UsageError("Cannot use --upstream with --demo, which brings its own. Leave out one of them.");
  }
  if (!demo && upstream === undefined) {
    throw new UsageError(
      "Cannot serve without an upstream: say where requests go, as in --upstream http://127.0.0.1:3000, or try --demo.",
    );
  }
}

async function run(
  settings: ServeSettings,
  origin: URL,
  sparePorts: number,
  demo: boolean,
  { stdout, stderr }: Streams,
): Promise<void> {
  const gate = await openGate(settings, (text) => stderr.write(`\nsluice: ${text}\n`));
  const onError = (error: unknown) => stderr.write(`sluice: ${error instanceof Error ? error.stack : error}\n`);
  const proxy = new ReverseProxy(gate, { ...settings, origin, sparePorts, onError });
  let port: number;
  try {
    port = await proxy.listen();
  } catch (error) {
    await gate.close();
    throw error;
  }
  const [address, { adminPort }] = [addressOf(settings, port), proxy];
  const adminAddress = adminPort === undefined ? undefined : addressOf(settings, adminPort);
  const lines = greeting(demo ? "a demo" : origin.origin, address, adminAddress);
  stdout.write(demo ? lines + demoHelp(address) : lines);
  const status = showStatus(stderr, gate);
  const tell = (line: string) => {
    // What is told from here on must not be written over.
    status.stop();
    stderr.write(`sluice: ${line}\n`);
  };
  const code = await untilStopped(proxy, { drainTimeout: settings.drainTimeout, tell });
  if (gate.queue !== undefined) tell(`The size of the queue: ${gate.queue.advice().reason}`);
  if (code !== 0) throw new ExitCode(code);
}

function addressOf({ host }: ServeSettings, port: number): string {
  const name = host === undefined || host === "0.0.0.0" || host === "::" ? "localhost" : host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
}

function greeting(front: string, address: string, adminAddress: string | undefined): string {
  const first = `Serving ${address} in front of ${front}.\n`;
  return adminAddress === undefined ? first : `${first}/healthz and /metrics are on ${adminAddress}.\n`;
}

function demoHelp(address: string): string {
  return `
Try:
  curl -i ${address}/
  curl -s -o /dev/null -w "%{http_code}\\n" "${address}/?[1-30]"

The first shows what a client is told, the second where it ends. Ctrl-C ends this.
`;
}
