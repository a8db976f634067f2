import type { HttpRequest } from "../http-request.js";

/** Finds the address of the other end of a connection, which a `Request` does not tell. */
export type FindAddress<A extends unknown[]> = (request: Request, ...args: A) => string | undefined;

/** A request as key functions and the like see it. */
export class FetchRequest<A extends unknown[] = []> implements HttpRequest {
  /** The request itself. */
  readonly request: Request;
  /** What else the handler was called with: the `env` of a worker, the `info` of Deno, the `server` of Bun. */
  readonly args: A;
  readonly #findAddress: FindAddress<A> | undefined;

  /** @internal */
  constructor(request: Request, args: A, findAddress: FindAddress<A> | undefined) {
    this.request = request;
    this.args = args;
    this.#findAddress = findAddress;
  }

  /** `GET`, `POST` and so on. */
  get method(): string {
    return this.request.method;
  }

  /** The whole URL. */
  get url(): string {
    return this.request.url;
  }

  /** The header fields. */
  get headers(): Headers {
    return this.request.headers;
  }

  /** The other end of the connection, as the option `address` finds it. */
  get socket(): {
    /** The address, where it is known. */
    readonly remoteAddress: string | undefined;
  } {
    if (this.#findAddress !== undefined) return { remoteAddress: this.#findAddress(this.request, ...this.args) };
    throw new TypeError(
      "Cannot tell clients apart by address: a Request does not say where it came from. Pass { address: (request, ...args) => ... } as the last argument, or a key function.",
    );
  }
}
