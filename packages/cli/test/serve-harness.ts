import { once } from "node:events";
import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestOptions,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import type { ServeConfig } from "../src/index.js";
import { openGate } from "../src/serve/open-gate.js";
import { fromFile, readSettings } from "../src/serve/read-settings.js";
import { ReverseProxy, type ReverseProxyOptions } from "../src/serve/reverse-proxy.js";

/** Answers a request; what it gives back is nobody's. */
type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

/** A real server to stand behind the proxy. */
export class TestUpstream {
  readonly server: Server;
  readonly requests: IncomingMessage[] = [];

  private constructor(handle: Handler) {
    this.server = createServer((incoming, response) => {
      this.requests.push(incoming);
      handle(incoming, response);
    });
  }

  static async start(handle: Handler = (_, response) => response.end("hello")): Promise<TestUpstream> {
    const upstream = new TestUpstream(handle);
    upstream.server.listen(0, "127.0.0.1");
    await once(upstream.server, "listening");
    return upstream;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
  }
}

/** The proxy, listening on a free port of this machine. */
export class TestProxy {
  readonly agent = new Agent({ keepAlive: true });

  private constructor(
    readonly proxy: ReverseProxy,
    readonly port: number,
    readonly errors: readonly unknown[],
  ) {}

  /** Starts it without a limit, where none is given. */
  static async start(
    upstream: string,
    config: ServeConfig = {},
    times: Pick<ReverseProxyOptions, "headersTimeout"> = {},
  ): Promise<TestProxy> {
    const values = { host: "127.0.0.1", port: 0, rate: "none", upstream, ...config };
    const settings = readSettings([fromFile(values, "test")]);
    const errors: unknown[] = [];
    const onError = (error: unknown) => errors.push(error);
    const options = { ...settings, ...times, origin: new URL(upstream), onError };
    const proxy = new ReverseProxy(await openGate(settings), options);
    return new TestProxy(proxy, await proxy.listen(), errors);
  }

  /** Sends a request, without a body unless one is given, and reads the whole answer. */
  async get(path: string, options: RequestOptions & { body?: string | Uint8Array } = {}): Promise<Answer> {
    const { body, ...rest } = options;
    const outgoing = this.open(path, rest);
    outgoing.end(body);
    return readAnswer(outgoing);
  }

  /** Begins a request, whose body is still to be written. */
  open(path: string, options: RequestOptions = {}) {
    return request({ host: "127.0.0.1", port: this.port, path, agent: this.agent, ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.agent.destroy();
    const drained = this.proxy.drain();
    await this.proxy.cut();
    await drained;
  }
}

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Waits for the whole answer to a request. */
export async function readAnswer(outgoing: ReturnType<typeof request>): Promise<Answer> {
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, text: String(await buffer(response)) };
}

/** A promise, and what fulfils it. */
export function signal<T = void>(): { readonly raised: Promise<T>; readonly raise: (value: T) => void } {
  let raise: (value: T) => void = () => {};
  const raised = new Promise<T>((resolve) => {
    raise = resolve;
  });
  return { raised, raise };
}

/** Waits until something is so that only sockets and other processes decide. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 2));
}
