/**
 * Whose word on where a request came from is taken.
 *
 * @module
 */
import proxyAddr from "proxy-addr";
import { readAddress } from "./parse-address.js";

/**
 * The proxies that are trusted to say whom they speak for:
 *
 * - a list of addresses and CIDR ranges, and the names `loopback`, `linklocal`,
 *   `uniquelocal` and `unix` (a peer without an address, behind a unix socket);
 * - the number of proxies in front of this server, where their addresses are not known
 *   and nobody can come past them;
 * - a function of an address and how many hops away it is: 0 is the peer itself.
 */
export type TrustedHosts = readonly string[] | number | ((address: string, hop: number) => boolean);

/** What trusted hosts become. */
export interface Trust {
  /** Whether the host at this address, so many hops away, is trusted. */
  readonly trusts: (address: string, hop: number) => boolean;
  /** Whether the same question always has the same answer. */
  readonly isConstant: boolean;
}

/** Where there is no address: behind a unix socket, or in a server that does not tell. */
export const UNKNOWN_ADDRESS = "unknown";

const NAMES = ["loopback", "linklocal", "uniquelocal"];
const FORMS = 'an address, a CIDR range such as "10.0.0.0/8", or loopback, linklocal, uniquelocal or unix';

/** Makes one function of any form of trusted hosts; `undefined` where nobody is trusted. */
export function compileTrust(hosts: TrustedHosts = []): Trust | undefined {
  if (typeof hosts === "function") return { trusts: hosts, isConstant: false };
  if (typeof hosts === "number") return trustHops(hosts);
  if (Array.isArray(hosts)) return trustList(hosts);
  throw new TypeError(
    `Cannot trust ${JSON.stringify(hosts)}: trustedHosts is a list, a number of proxies or a function. Name your proxies, as in ["10.0.0.0/8"].`,
  );
}

function trustHops(count: number): Trust | undefined {
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new RangeError(
      `Cannot trust ${count} proxies: it is a whole number, 0 or more. Count the proxies in front of this server.`,
    );
  }
  return count === 0 ? undefined : { trusts: (_, hop) => hop < count, isConstant: true };
}

function trustList(hosts: readonly string[]): Trust | undefined {
  if (hosts.length === 0) return undefined;
  for (const host of hosts) checkHost(host);
  const addresses = hosts.filter((host) => host !== "unix");
  const matches = addresses.length === 0 ? () => false : proxyAddr.compile(addresses);
  const trustsUnix = addresses.length < hosts.length;
  // Only a peer can be without an address: a header that says so ends the way there.
  const trusts = (address: string, hop: number) => (address === UNKNOWN_ADDRESS ? trustsUnix : matches(address, hop));
  return { trusts, isConstant: true };
}

function checkHost(host: string): void {
  if (typeof host !== "string") {
    throw new TypeError(`Cannot trust ${JSON.stringify(host)}: a trusted host is ${FORMS}.`);
  }
  if (host === "unix" || NAMES.includes(host)) return;
  try {
    // The library reads "1" as 0.0.0.1; whoever writes it means something else.
    if (readAddress(host.split("/")[0] as string) === undefined) throw new RangeError("not an address");
    proxyAddr.compile([host]);
  } catch (cause) {
    throw new RangeError(`Cannot trust ${JSON.stringify(host)}: a trusted host is ${FORMS}.`, { cause });
  }
}
