/**
 * Key functions: whose quota a request is counted against.
 *
 * @module
 */
import { fieldOf, type HttpRequest } from "../http-request.js";
import { type AddressOptions, addressReader } from "./client-address.js";
import { writeClient } from "./parse-address.js";

/** Says whose quota a request is counted against; `undefined` for one that all others share. */
export type KeyFunction<R = HttpRequest> = (request: R) => string | undefined;

/** How {@link byAddress} tells clients apart. */
export interface ByAddressOptions extends AddressOptions {
  /**
   * How many leading bits of an IPv6 address make a client, from 32 to 128; 56 when left
   * out. A household or a virtual server gets a /64 up to a /48, and could otherwise
   * come from a new address each time.
   */
  readonly ipv6Prefix?: number;
}

/** How {@link byHeader} reads keys. */
export interface ByHeaderOptions {
  /** Longer values share one key with those who send none, so that keys cannot fill the memory; 2048 when left out. */
  readonly maxLength?: number;
}

const DEFAULT_IPV6_PREFIX = 56;
const DEFAULT_MAX_LENGTH = 2048;

/**
 * Counts by client address, which is found as in {@link clientAddress}.
 *
 * An IPv4 client is its address, an IPv6 client its prefix. Requests without an address,
 * as behind a unix socket whose proxy is not trusted, share the key `"unknown"`.
 *
 * @example
 * ```ts
 * import { byAddress } from "@sluice/http";
 *
 * const key = byAddress();
 * key({ headers: {}, socket: { remoteAddress: "::ffff:203.0.113.7" } }); // => "203.0.113.7"
 * key({ headers: {}, socket: { remoteAddress: "2001:db8:1:2345::1" } }); // => "2001:db8:1:2300::/56"
 * ```
 */
export function byAddress({
  ipv6Prefix = DEFAULT_IPV6_PREFIX,
  ...options
}: ByAddressOptions = {}): (request: HttpRequest) => string {
  if (!Number.isSafeInteger(ipv6Prefix) || ipv6Prefix < 32 || ipv6Prefix > 128) {
    throw new RangeError(
      `Cannot group IPv6 addresses by /${ipv6Prefix}: ipv6Prefix is a whole number from 32 to 128. Leave it out for /${DEFAULT_IPV6_PREFIX}.`,
    );
  }
  return addressReader(options, (address) => writeClient(address, ipv6Prefix));
}

/**
 * Counts by the value of a header field, such as an API key.
 *
 * Requests without it share one quota. A client can send whatever it likes: have the value
 * verified before it gets here, or limit by address as well.
 *
 * @example
 * ```ts
 * import { byHeader } from "@sluice/http";
 *
 * byHeader("X-API-Key")({ headers: { "x-api-key": "ada" } }); // => "ada"
 * byHeader("X-API-Key")({ headers: {} }); // => undefined
 * ```
 */
export function byHeader(
  name: string,
  { maxLength = DEFAULT_MAX_LENGTH }: ByHeaderOptions = {},
): (request: HttpRequest) => string | undefined {
  if (typeof name !== "string" || name === "") {
    throw new TypeError(`Cannot count by the field ${JSON.stringify(name)}: it is the name of a header field.`);
  }
  const lowered = name.toLowerCase();
  return ({ headers }) => {
    const value = fieldOf(headers, lowered);
    return value === "" || value === undefined || value.length > maxLength ? undefined : value;
  };
}
