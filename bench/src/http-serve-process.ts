/**
 * A server: `http-serve-process.js`, which answers at once, and `http-serve-process.js ORIGIN`,
 * the upstream side of `sluice serve` in front of that, with neither limits nor a queue.
 */
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

/** What is used of the command's insides. */
interface Insides {
  readonly Upstream: new (
    options: object,
    listener: object,
  ) => { send(...exchange: [...Parameters<RequestListener>, told: []]): void };
}

const UPSTREAM = new URL("../../packages/cli/dist/serve/upstream.js", import.meta.url);
const TIMES = { connectTimeout: 10_000, responseTimeout: 60_000, idleTimeout: 60_000 };
const BODY = Buffer.alloc(200, "x");

const [origin] = process.argv.slice(2);
const server = createServer({ noDelay: true }, origin === undefined ? answer : await passOn(new URL(origin)));
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});

function answer(...[request, response]: Parameters<RequestListener>): void {
  request.resume();
  response.setHeader("Content-Length", BODY.length);
  response.end(BODY);
}

async function passOn(to: URL): Promise<RequestListener> {
  const { Upstream } = (await import(UPSTREAM.href)) as Insides;
  const upstream = new Upstream({ origin: to, hostHeader: "client", ...TIMES }, { answered() {}, failed() {} });
  return (request, response) => upstream.send(request, response, []);
}
