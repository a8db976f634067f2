import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { clientAddress, type TrustedHosts } from "@sluice/http";
import { isHopByHop, namedByConnection } from "./hop-by-hop.js";

/** How requests are passed on. */
export interface ForwardOptions {
  /** The proxies in front. */
  readonly trusted: TrustedHosts | undefined;
  /** The `Host` that the upstream sees instead of the client's. */
  readonly host: string | undefined;
}

/** Gives the header fields for the upstream: names and values in turn. */
export type FieldsFor = (request: IncomingMessage, host: string | undefined) => string[];

/** An address that no host has (RFC 5737). */
const NOBODY = "192.0.2.0";

/** Written anew for each hop: they say how long the body is, or who speaks for whom. */
const OWN: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "expect",
  "http2-settings",
  "via",
  "x-forwarded-for",
]);

/** Said by a trusted proxy they are passed on; said by anybody else they are made up. */
const FROM_PROXIES: ReadonlySet<string> = new Set(["forwarded", "x-forwarded-host", "x-forwarded-proto"]);

/**
 * Makes a function that gives the header fields of a request for the upstream.
 *
 * Node has read the fields by then: of lines that may not be repeated it has kept the
 * first. What is sent on is therefore what the limits were decided by.
 */
export function requestFields({ trusted, host: ownHost }: ForwardOptions): FieldsFor {
  const peerOf = clientAddress();
  const isTrusted = trustCheck(trusted);
  return (request, host = request.headers.host) => {
    const { headers } = request;
    const peer = peerOf(request);
    const speaksForOthers = isTrusted(peer);
    const fields = endToEnd(headers, speaksForOthers);
    // A client of HTTP/1.0 may name none; the upstream's own is then filled in on the way.
    const seenHost = ownHost ?? host;
    if (seenHost !== undefined) fields.push("host", seenHost);
    // A body without a length is sent in chunks.
    if (headers["content-length"] !== undefined) fields.push("content-length", headers["content-length"]);
    fields.push("x-forwarded-for", append(headers["x-forwarded-for"], peer));
    if (host !== undefined && !(speaksForOthers && headers["x-forwarded-host"] !== undefined)) {
      fields.push("x-forwarded-host", host);
    }
    if (!(speaksForOthers && headers["x-forwarded-proto"] !== undefined)) fields.push("x-forwarded-proto", "http");
    fields.push("via", append(headers.via, `${request.httpVersion} sluice`));
    return fields;
  };
}

function endToEnd(headers: IncomingHttpHeaders, speaksForOthers: boolean): string[] {
  const named = namedByConnection(headers.connection);
  const fields: string[] = [];
  for (const name in headers) {
    if (isHopByHop(name) || OWN.has(name) || named.has(name)) continue;
    if (!speaksForOthers && FROM_PROXIES.has(name)) continue;
    const value = headers[name];
    if (typeof value === "string") fields.push(name, value);
    else for (const line of value ?? []) fields.push(name, line);
  }
  return fields;
}

function append(list: string | string[] | undefined, item: string): string {
  return list === undefined ? item : `${list}, ${item}`;
}

/** Whether a peer is trusted: its word on whom it speaks for is taken. */
function trustCheck(trusted: TrustedHosts | undefined): (peer: string) => boolean {
  if (trusted === undefined) return () => false;
  const clientOf = clientAddress({ trustedHosts: trusted });
  const headers = { "x-forwarded-for": NOBODY };
  return (peer) => clientOf({ headers, socket: { remoteAddress: peer === "unknown" ? undefined : peer } }) === NOBODY;
}
