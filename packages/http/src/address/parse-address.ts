/**
 * Addresses as sockets and proxies write them, brought into one form.
 *
 * @module
 */
import ipaddr from "ipaddr.js";

/** An address that is either an IPv4 one or truly an IPv6 one, never IPv4 in disguise. */
export type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** No address with zone and port is longer. */
const LONGEST = 100;
const IPV4_WITH_PORT = /^(\d+\.\d+\.\d+\.\d+):\d{1,5}$/;
/** RFC 7239, section 6: a port may be hidden as `_name`, too. */
const BRACKETED = /^\[([^\]]+)\](?::(?:\d{1,5}|_[\w.-]+))?$/;

/**
 * Reads an address with or without a port: `192.0.2.1:80`, `[2001:db8::1]:80`, `fe80::1%eth0`.
 *
 * Zones mean something on one machine only, and are dropped. IPv4 takes four decimal
 * numbers: octal, hex and shortened ones are read differently by different programs.
 *
 * @returns `undefined` for what is not an address: `unknown`, `_hidden` and garbage.
 */
export function readAddress(text: string): Address | undefined {
  if (text.length > LONGEST) return undefined;
  const bare = BRACKETED.exec(text)?.[1] ?? IPV4_WITH_PORT.exec(text)?.[1] ?? text;
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) return ipaddr.IPv4.parse(bare);
  const zone = bare.indexOf("%");
  const unzoned = zone === -1 ? bare : bare.slice(0, zone);
  if (!ipaddr.IPv6.isValid(unzoned)) return undefined;
  const address = ipaddr.IPv6.parse(unzoned);
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

/** The one text of an address: RFC 5952 for IPv6. */
export function writeAddress(address: Address): string {
  return address.kind() === "ipv6" ? (address as ipaddr.IPv6).toRFC5952String() : address.toString();
}

/** The one text of the client that an address belongs to: an IPv6 client has all addresses under its prefix. */
export function writeClient(address: Address, ipv6Prefix: number): string {
  if (address.kind() === "ipv4" || ipv6Prefix === 128) return writeAddress(address);
  const parts = (address as ipaddr.IPv6).parts.map((part, index) => {
    const kept = Math.min(16, Math.max(0, ipv6Prefix - index * 16));
    return part & (0xffff << (16 - kept)) & 0xffff;
  });
  return `${new ipaddr.IPv6(parts).toRFC5952String()}/${ipv6Prefix}`;
}
