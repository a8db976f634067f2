/**
 * Where a request came from, through trusted proxies only.
 *
 * @module
 */
import { checkCallable } from "../check-names.js";
import { fieldOf, type HttpRequest } from "../http-request.js";
import { type AddressField, Hops } from "./hops.js";
import { type Address, readAddress, writeAddress } from "./parse-address.js";
import { Recent } from "./recent.js";
import { compileTrust, type Trust, type TrustedHosts, UNKNOWN_ADDRESS } from "./trusted-hosts.js";

/** How the address of a client is found. */
export interface AddressOptions {
  /** The proxies whose word is taken; nobody's when left out, so that the peer is the client. */
  readonly trustedHosts?: TrustedHosts;
  /**
   * What is told, once, that requests come through a proxy on this machine or in a private
   * network while `trustedHosts` is left out, so that all its clients share one address;
   * `console.warn` when left out. The first 1,000 requests from there are looked at. An
   * empty list says that this is meant.
   */
  readonly warn?: (message: string) => void;
  /**
   * The one field that those proxies write: `"x-forwarded-for"` when left out, or
   * `"forwarded"` (RFC 7239). The other is not looked at, since a proxy that writes one
   * often lets the other through as the client sent it.
   */
  readonly addressField?: AddressField;
}

/** How many peers, and how many chains of proxies, are remembered in one generation. */
const REMEMBERED = 4096;
/** Longer chains are not worth remembering, and are mostly made up. */
const LONGEST_REMEMBERED = 200;
/** How many requests are looked at for a proxy that nobody named: to look takes longer than to find the address. */
const LOOKS = 1000;
/** What proxies write, by default or nearly so. */
const FORWARDING = ["x-forwarded-for", "forwarded"];

/**
 * Finds the address of the client of a request.
 *
 * It starts at the peer and goes one hop further for each host that is trusted. Where the
 * next hop is no address (`unknown`, `_hidden`, garbage), it stops at the last one that
 * is. What a client puts into the field itself is therefore never reached.
 *
 * @returns A function that gives the address in its one canonical form: IPv4-mapped IPv6
 *   as IPv4, IPv6 as of RFC 5952 without a zone, `"unknown"` where there is none.
 *
 * @example
 * ```ts
 * import { clientAddress } from "@sluice/http";
 *
 * const addressOf = clientAddress({ trustedHosts: ["10.0.0.0/8"] });
 * const headers = { "x-forwarded-for": "1.1.1.1, 203.0.113.7" };
 * addressOf({ headers, socket: { remoteAddress: "10.0.0.1" } }); // => "203.0.113.7"
 * addressOf({ headers, socket: { remoteAddress: "192.0.2.1" } }); // => "192.0.2.1"
 * ```
 */
export function clientAddress(options: AddressOptions = {}): (request: HttpRequest) => string {
  return addressReader(options, writeAddress);
}

/** As {@link clientAddress}, with the address written in another way. */
export function addressReader(
  { trustedHosts, addressField = "x-forwarded-for", warn }: AddressOptions,
  write: (address: Address) => string,
): (request: HttpRequest) => string {
  checkField(addressField);
  const trust = compileTrust(trustedHosts);
  checkCallable("warn", warn);
  const peers = new Recent<Peer>(REMEMBERED);
  if (trustedHosts === undefined) return untrusting(write, warn);
  const look = (text = "") => peers.get(text) ?? peers.add(text, peerAt(text, write, trust));
  if (trust === undefined) return (request) => look(request.socket?.remoteAddress).client;

  const chains = new Recent<string>(REMEMBERED);
  return (request) => {
    const peer = look(request.socket?.remoteAddress);
    const chain = peer.mayForward ? fieldOf(request.headers, addressField) : undefined;
    if (chain === undefined) return peer.client;
    const walk = () => writeOr(write, furthestTrusted(peer.address, new Hops(addressField, chain), trust));
    if (!trust.isConstant || chain.length > LONGEST_REMEMBERED) return walk();
    const whole = `${peer.client},${chain}`;
    return chains.get(whole) ?? chains.add(whole, walk());
  };
}

/** Takes the peer for the client, and warns where it is more likely a proxy that nobody named. */
function untrusting(
  write: (address: Address) => string,
  warn: AddressOptions["warn"] = (message) => console.warn(message),
): (request: HttpRequest) => string {
  // Here `mayForward` says of a peer that it may well be a proxy.
  const local = compileTrust(["loopback", "linklocal", "uniquelocal"]);
  const peers = new Recent<Peer>(REMEMBERED);
  let looks = LOOKS;
  return ({ socket, headers }) => {
    const text = socket?.remoteAddress ?? "";
    const peer = peers.get(text) ?? peers.add(text, peerAt(text, write, local));
    if (looks === 0 || !peer.mayForward) return peer.client;
    looks--;
    if (FORWARDING.some((name) => fieldOf(headers, name) !== undefined)) {
      looks = 0;
      warn(
        `Requests come with a forwarding field from ${peer.client}, most likely a proxy, whose clients all share the limits of that one address: trustedHosts is left out. Name your proxies, as in { trustedHosts: ["${peer.client}"] }, or pass [] where there is none.`,
      );
    }
    return peer.client;
  };
}

/** The other end of a connection. */
interface Peer {
  readonly address: Address | undefined;
  /** How it is written where it is the client itself. */
  readonly client: string;
  /** Whether it may be trusted to say whom it speaks for. */
  readonly mayForward: boolean;
}

function peerAt(text: string, write: (address: Address) => string, trust: Trust | undefined): Peer {
  const address = readAddress(text);
  const mayForward = trust !== undefined && (!trust.isConstant || trust.trusts(writeOr(writeAddress, address), 0));
  return { address, client: writeOr(write, address), mayForward };
}

/** Goes from hop to hop as long as the last one is trusted, and the next one is an address. */
function furthestTrusted(peer: Address | undefined, hops: Hops, { trusts }: Trust): Address | undefined {
  let address = peer;
  for (let hop = 0; trusts(writeOr(writeAddress, address), hop); hop++) {
    const next = readAddress(hops.next() ?? "");
    if (next === undefined) break;
    address = next;
  }
  return address;
}

function writeOr(write: (address: Address) => string, address: Address | undefined): string {
  return address === undefined ? UNKNOWN_ADDRESS : write(address);
}

function checkField(name: string): void {
  if (name === "x-forwarded-for" || name === "forwarded") return;
  throw new RangeError(
    `Cannot find addresses in ${JSON.stringify(name)}: addressField is "x-forwarded-for" or "forwarded". For another field, pass a key function.`,
  );
}
