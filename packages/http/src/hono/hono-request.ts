import type { Context } from "hono";
import type { HttpFields, HttpRequest } from "../http-request.js";
import type { NodeRequest, NodeResponse } from "../node/connection.js";

/** Finds the address of the other end of a connection. */
export type FindAddress<C extends Context = Context> = (context: C) => string | undefined;

/** What @hono/node-server puts into `context.env`. */
interface NodeBindings {
  readonly incoming?: NodeRequest;
  readonly outgoing?: NodeResponse;
}

const ELSEWHERE: NodeBindings = {};

/** The request and the response of Node beneath a context; none elsewhere. */
export function nodeBindings({ env }: Context): NodeBindings {
  const bindings = env as (NodeBindings & { readonly server?: NodeBindings }) | undefined;
  if (bindings?.incoming !== undefined) return bindings;
  return bindings?.server?.incoming === undefined ? ELSEWHERE : bindings.server;
}

/** A request as key functions and the like see it. */
export class HonoRequest<C extends Context = Context> implements HttpRequest {
  /** The context, with all that earlier middleware has put into it. */
  readonly context: C;
  readonly #incoming: NodeRequest | undefined;
  readonly #findAddress: FindAddress<C> | undefined;

  /** @internal */
  constructor(context: C, incoming: NodeRequest | undefined, findAddress: FindAddress<C> | undefined) {
    this.context = context;
    this.#incoming = incoming;
    this.#findAddress = findAddress;
  }

  /** `GET`, `POST` and so on. */
  get method(): string {
    return this.context.req.method;
  }

  /** The whole URL. */
  get url(): string {
    return this.context.req.url;
  }

  /** The header fields. */
  get headers(): HttpFields {
    return this.#incoming?.headers ?? this.context.req.raw.headers;
  }

  /** The other end of the connection: as the option `address` finds it, or as Node knows it. */
  get socket(): {
    /** The address, where it is known. */
    readonly remoteAddress?: string | undefined;
  } {
    if (this.#findAddress !== undefined) return { remoteAddress: this.#findAddress(this.context) };
    if (this.#incoming !== undefined) return this.#incoming.socket;
    throw new TypeError(
      "Cannot tell clients apart by address: this runtime does not say where a request came from. Pass { address: (context) => getConnInfo(context).remote.address } with the getConnInfo of your runtime, or a key function.",
    );
  }
}
